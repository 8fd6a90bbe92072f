"""What is looked for in an exploration: a module for each kind of fault."""
