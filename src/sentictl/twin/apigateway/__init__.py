"""API Gateway: the REST APIs that are deployed, routed and answered."""
