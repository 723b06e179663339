"""The sentiment model as a package of its own: text to ids, the network, the artifact, and predictions from it.

It runs in AWS's containers beside `train.py` and `inference.py`, and imports nothing of the command-line tool. Only
`network`, and `predictor` when it runs that, need torch; import the modules by name, so that the others stay quick.
"""
