"""Serve the page: options, a guarded launch, an answer to `GET /healthz`.

Importing this imports neither gradio nor torch, so that the environment can be set first.
"""

from __future__ import annotations

from apps.serving.launch import serve
from apps.serving.options import ServeOptions

__all__ = ["ServeOptions", "serve"]
