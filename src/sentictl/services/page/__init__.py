"""The web page: rendered to one file, its colors, and a preview on this machine."""
