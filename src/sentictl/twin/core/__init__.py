"""The parts that all others rest on: HTTP, the twin's folder and key, and child processes."""
