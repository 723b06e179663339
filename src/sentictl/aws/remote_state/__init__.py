"""The recorded state of an environment as an object on S3, and the lease under which it is changed."""
