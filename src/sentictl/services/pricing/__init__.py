"""What a project costs on AWS."""
