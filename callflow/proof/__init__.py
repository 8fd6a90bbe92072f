"""The proof: everything that can happen to a call of a flow, found before anybody calls."""
