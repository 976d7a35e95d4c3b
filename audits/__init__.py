"""Questions about a model, asked as a script and answered with intervals.

Imports `workbench` and never `apps`: an audit knows no screen.
"""
