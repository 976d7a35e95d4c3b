"""The commands as tools of the Model Context Protocol, for agents: `clip-workbench mcp` speaks it over stdio.

Source: the Model Context Protocol, revision 2025-06-18 (tools, resources, progress, cancellation).
"""
