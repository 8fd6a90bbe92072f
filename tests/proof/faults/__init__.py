"""Flows with one fault each, by what a caller would suffer from."""
