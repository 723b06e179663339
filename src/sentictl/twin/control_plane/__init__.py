"""The control plane: moto behind one lock, what AWS refuses at once, and the journal, replayed at the next start."""
