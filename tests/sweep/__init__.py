"""Every call to AWS meets every fault; `up`, `down` and a move go on from where they were stopped. See `__main__`."""
