"""Random and damaged files for whatever opens a visitor's file; `FUZZ_EXAMPLES=100000` makes the search long."""
