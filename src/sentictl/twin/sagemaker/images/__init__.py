"""AWS's serving images, as far as the twin stands in for them: each runs an artifact's code by the image's contract."""
