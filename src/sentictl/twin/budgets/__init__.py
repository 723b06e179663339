"""Budgets: what moto leaves out of them. Nothing costs anything here, so that none is ever exceeded."""
