"""The same classes in images of another kind."""
