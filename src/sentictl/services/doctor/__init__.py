"""`sentictl doctor`'s checks: of this machine and project, and of an account on AWS."""
