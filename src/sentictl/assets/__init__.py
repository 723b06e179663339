"""The files that travel with sentictl, the archives made of them, and writing a file whole or not at all."""
