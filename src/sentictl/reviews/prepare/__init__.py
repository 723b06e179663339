"""Preparing a dataset: reviews tokenized, split, numbered and kept as a folder of ids."""
