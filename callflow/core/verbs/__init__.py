"""The catalogue of actions, a file for each kind: `callflow.core.actions` is all of it."""
