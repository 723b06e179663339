"""How good a model is, which versions of it there are, and whether one is better than another."""
