"""The costs of a project on AWS."""
