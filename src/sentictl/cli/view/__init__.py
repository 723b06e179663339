"""The ways to show an answer: lines, tables, progress, and the answers as a terminal has them."""
