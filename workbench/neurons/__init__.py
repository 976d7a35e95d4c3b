"""Units inside an image tower: what each responds to, what it adds to an answer, and what changes without it."""
