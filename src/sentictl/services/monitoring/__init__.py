"""Whoever is to know how it goes: alerts by mail, a dashboard, and the figures of the last hours."""
