"""The tables of settings that have rules of their own, and what all tables are made of."""
