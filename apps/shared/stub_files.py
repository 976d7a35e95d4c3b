"""Keeps Gradio from writing a `.pyi` file beside every module that derives a component: type checkers would read it."""

from __future__ import annotations

from gradio import component_meta


def no_stubs() -> None:
    """To be called before a component is derived; has no effect on Gradio versions that write no stubs."""
    vars(component_meta)["create_or_modify_pyi"] = lambda *_: None
