"""IAM: policies evaluated, and the roles that AWS's services run in."""
