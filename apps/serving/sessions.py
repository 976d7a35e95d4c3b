"""What gradio keeps of each open page: its state and the components it changed, without a copy of the whole page.

Does not know about tabs. The copy would serve links to another visitor's settings (deep links), which are closed here.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio.state_holder

CAPACITY = 4000  # pages; the longest unused are forgotten


class _Session(gradio.state_holder.SessionState):
    def __init__(self, blocks: Any) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Nobody reads it."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nobody reads it."""


def install() -> None:
    """Let gradio make these sessions from now on."""
    gradio.state_holder.SessionState = _Session  # type: ignore[misc]
