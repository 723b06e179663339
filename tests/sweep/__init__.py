"""Every call to AWS meets every fault: `up` and `down` go on from wherever they were stopped. See `__main__`."""
