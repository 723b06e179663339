"""Preparing a dataset on many machines: what runs under Spark, on SageMaker's machines and on the local twin."""
