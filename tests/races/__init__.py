"""Several writers of one state on S3 at once, and every fault at every call of one of them. See `__main__`."""
