"""The ways in: the tabs of the browser page, the server that holds them, and the shell's commands."""
