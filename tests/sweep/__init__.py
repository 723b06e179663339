"""Every call to AWS meets every fault; each command goes on from where it was stopped. See `__main__`."""
