"""The runner: jobs become run directories in three stages, each named by a hash of what it was made from."""
