"""A prepared process that forks: hundreds of programs begin at once instead of importing the same for a second each.

`server` has imported everything; `programs` is what its forks become; `popen` is how tests begin one.
"""
