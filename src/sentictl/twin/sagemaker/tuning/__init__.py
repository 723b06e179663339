"""SageMaker's tuning jobs: which values are tried, as training jobs that really run, and which of those end early."""
