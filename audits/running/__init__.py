"""The runner: jobs become run directories in three stages, each named by a hash of what it was made from.

`api` has the functions for scripts, `performing` does one job, `record` reads what a run left.
"""
