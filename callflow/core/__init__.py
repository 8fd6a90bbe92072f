"""The pure core: what a flow is, and how an event moves it. No clock, no randomness, no input or output."""
