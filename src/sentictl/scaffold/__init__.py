"""Beginning a project, and a project's own copies of the model code and the templates."""
