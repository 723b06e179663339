"""Mutation testing: small faults put into the code, one at a time, which the tests have to notice."""
