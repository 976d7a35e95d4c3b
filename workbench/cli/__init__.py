"""What all commands share: options, output, progress and exit codes.

The lowest room that `apps` and `audits` both import is `workbench`, so it stands here. The library never imports it.
"""
