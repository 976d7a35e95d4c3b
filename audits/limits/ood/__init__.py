"""Unknown images: does a score separate what was not asked for from what was, and are digits read?"""
