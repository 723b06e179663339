"""The names of this machine. Imports nothing."""

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
