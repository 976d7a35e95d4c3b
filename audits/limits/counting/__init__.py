"""Counting: does the answer to "how many?" follow the number of things?

Asked twice with the same things, once of one size and once with one total area, to separate counting from judging how
full an image is.
"""
