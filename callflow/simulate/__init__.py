"""Calls without a telephone: a virtual clock, a simulated phone network, scenarios, replay."""
