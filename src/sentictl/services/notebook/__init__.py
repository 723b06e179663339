"""The notebook that stands beside the chain, and what goes along to it."""
