"""What a command shows: lines, tables, progress, and the answers as a terminal has them."""
