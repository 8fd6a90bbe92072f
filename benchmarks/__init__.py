"""callflow beside what it is measured against, as ratios of one run: `make bench`."""
