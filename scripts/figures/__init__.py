"""Schematic figures of the documentation, drawn from a few lines each."""
