"""Training jobs that really run the source they name, with their hosts, checkpoints, metrics and logs."""
