"""Looking after a chain that stands: its logs, whether it is used, and what is left of it."""
