"""The Python API: a project in one environment, and everything that the commands do with it."""
