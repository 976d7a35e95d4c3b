"""Written words against what an image shows."""
