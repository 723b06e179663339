"""How the model answers: the endpoint, its machines and their hours."""
