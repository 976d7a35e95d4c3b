"""Where a model ends: counting, pictures of what it was not asked for, and the wording of a prompt.

Knows no attacker.
"""
