"""Identity: how error rates grow with a gallery, and for whom errors are more frequent; in aggregate only."""
