"""Gradio without the work at its start that this page never uses: a third of the seconds until the page stands."""

from __future__ import annotations

import functools
import importlib.abc
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace
from typing import Any


def load() -> ModuleType:
    """Import gradio, without the interface files for editors that it renders and compares at every import."""
    finder = _NoInterfaceFiles()
    sys.meta_path.insert(0, finder)
    try:
        import gradio
        import gradio.blocks
    finally:
        sys.meta_path.remove(finder)
    # the page is described from the signatures of forty classes, which gradio reads once for each of its thousand parts
    blocks: Any = gradio.blocks
    blocks.inspect = _Inspect()
    return gradio


class _Inspect:
    signature = staticmethod(functools.cache(inspect.signature))

    def __getattr__(self, name: str) -> Any:
        return getattr(inspect, name)


class _NoInterfaceFiles(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "gradio.component_meta":
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                module.create_or_modify_pyi = lambda *_: None

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@contextmanager
def one_server() -> Iterator[None]:
    """Lay a page out, within the block, without a server for each step of it: `launch` makes the one that answers."""
    import gradio.blocks

    module: Any = gradio.blocks
    before = module.App
    module.App = SimpleNamespace(create_app=lambda *_, **__: None)
    try:
        yield
    finally:
        module.App = before
