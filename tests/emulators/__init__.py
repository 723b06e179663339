"""Emulators of AWS that others wrote: the chain across one of them and our twin, and where their answers differ."""
