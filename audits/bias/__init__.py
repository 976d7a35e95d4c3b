"""Whom does a model treat differently? Audits of how it names, ranks and associates images of people."""
