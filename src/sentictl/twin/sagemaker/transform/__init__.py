"""Batch Transform: jobs that really ask a model about every record of their inputs."""
