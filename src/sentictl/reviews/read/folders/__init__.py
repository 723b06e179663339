"""Folders and archives of reviews, one review a file, in folders that are called for their label."""
