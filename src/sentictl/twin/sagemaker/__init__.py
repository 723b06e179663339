"""SageMaker: training jobs, endpoints and notebook instances that really run."""
