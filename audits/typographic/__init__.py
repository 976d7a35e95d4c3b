"""Written words against what is seen."""
