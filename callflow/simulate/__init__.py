"""Calls without a telephone: a virtual clock, telephones that are scripts, and what a SIP bridge does with them."""
