"""Where a model's ability ends: counting, unknown images, and the wording of a prompt."""
