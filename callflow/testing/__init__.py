"""Test a flow and the agents in it: offline models, expect-chains, the pytest plugin."""
