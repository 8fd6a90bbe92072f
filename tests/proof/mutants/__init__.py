"""Mutants of the shipped flows."""
