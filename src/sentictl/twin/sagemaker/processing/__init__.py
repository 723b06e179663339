"""Processing jobs that really run: with Spark of this machine where they ask for it."""
