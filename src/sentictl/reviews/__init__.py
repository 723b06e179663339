"""Labelled reviews: read from a source, split, and kept as a dataset folder of ids."""
