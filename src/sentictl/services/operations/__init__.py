"""What has to be looked after once the chain stands: whether it is used, and what is left of it."""
