"""Soundness by experiment: random calls never do what was proved impossible. `python -m tests.proof.sound --help`."""
