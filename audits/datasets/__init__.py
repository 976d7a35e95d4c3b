"""The data sets that audits read: a folder, a CSV, `datasets`, and what is built in.

Knows no model and no audit.
"""
