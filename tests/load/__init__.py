"""How the API on the twin answers under load: `python -m tests.load` prints a table."""
