"""The lifecycle of anything kept on AWS: the shape of a resource, and the reconciling of a list of them."""
