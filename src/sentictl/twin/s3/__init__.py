"""S3: buckets, objects and static websites."""
