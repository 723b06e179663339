"""What stands in front of the model: the function, the REST API and the page."""
