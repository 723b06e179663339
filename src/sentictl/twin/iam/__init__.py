"""IAM: policies evaluated, the roles that AWS's services run in, and who may call the twin."""
