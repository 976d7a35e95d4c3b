"""Random and damaged files for whatever opens a visitor's file; `python -m tests.fuzz` searches for long."""
