"""One module a command. Each imports what it works with inside the command, so that the others start quickly."""
