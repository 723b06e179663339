"""The stack, its API and its roles for other tools: CloudFormation, OpenAPI, GitHub Actions."""
