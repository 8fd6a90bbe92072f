"""`python -m callflow` is `callflow`."""

from callflow.cli import main

main()
