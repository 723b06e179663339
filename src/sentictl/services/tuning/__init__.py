"""Tuning: a tuning job of SageMaker's, whose trials are training jobs, and the version that its best trial becomes."""
