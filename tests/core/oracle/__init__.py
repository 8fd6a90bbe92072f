"""A second interpreter of the flow language, written from its rules alone: slow, obvious, and of no use but to be
compared with `callflow.core.step` on random flows and scripts."""
