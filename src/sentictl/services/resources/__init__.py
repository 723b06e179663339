"""The resources of the chain: one module for each thing that is kept on AWS."""
