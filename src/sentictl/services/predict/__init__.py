"""Predictions: asking a model one review or many, and writing the answers to a file."""
