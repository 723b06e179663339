"""Rounds of change, plan, up, ask, roll back and down, in which everything goes wrong that can. See `__main__`."""
