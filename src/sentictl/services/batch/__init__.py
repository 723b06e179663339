"""Many reviews at once: a transform job of SageMaker's over the served model, and its answers put in order."""
