"""AWS as the services see it: an environment's clients and addresses, names, waiting, errors."""
