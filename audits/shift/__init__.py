"""The same classes in pictures of another kind."""
