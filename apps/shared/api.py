"""The API that “Use via API” shows: a few endpoints with named, documented parameters and plain JSON results.

An endpoint is a function whose annotations are the documentation: `Annotated[type, "what it is"]`, `ImagePath` for one
uploaded image, `ImagePaths` for several. Everything else on the page is private.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

import gradio as gr
from gradio.components.api_component import Api
from gradio.context import get_blocks_context
from gradio_client.utils import python_type_to_json_schema
from pydantic import TypeAdapter, ValidationError

from apps.shared.events import ASKS_MODEL, handler
from apps.shared.widgets import ImageFile
from workbench.errors import BadInput

if TYPE_CHECKING:
    from workbench.engine import Engine

ImagePath = Annotated[str, "a PNG, JPEG or WebP file; with gradio_client, handle_file(path)"]
ImagePaths = Annotated[list[str], "PNG, JPEG or WebP files; with gradio_client, [handle_file(path), …]"]
MODULES = ("apps.classify.endpoints", "apps.attribution.endpoints")  # each has `endpoints(engine)`


def build(engine: Engine) -> None:
    """Add the endpoints to the open page."""
    with gr.Column(visible=False):
        for module in MODULES:
            for function in importlib.import_module(module).endpoints(engine):
                add(function)


def add(function: Callable[..., Any]) -> None:
    """Add one endpoint, named as the function; its `request` parameter is Gradio's and no part of the API."""
    hints = get_type_hints(function, include_extras=True)
    parameters = [one for one in inspect.signature(function).parameters.values() if one.name != "request"]
    blocks = get_blocks_context()
    assert blocks is not None
    blocks.set_event_trigger(
        [],
        handler(_checked(function, {one.name: (hints[one.name], one.default) for one in parameters})),
        [_input(one, hints[one.name]) for one in parameters],
        [_json(hints["return"], None, get_args(hints["return"])[1])],
        no_target=True,
        api_name=function.__name__,
        api_description=inspect.getdoc(function),
        show_progress="hidden",
        **ASKS_MODEL | {"trigger_mode": "multiple"},
    )


def _checked(function: Callable[..., Any], hints: dict[str, tuple[Any, Any]]) -> Callable[..., Any]:
    """Refuse a value that is not of its parameter's type in a sentence; null means the default where there is one."""
    checks = {
        name: (TypeAdapter(get_args(hint)[0]), get_args(hint)[1], default) for name, (hint, default) in hints.items()
    }

    @functools.wraps(function)
    def checked(*values: Any, **more: Any) -> Any:
        taken = []
        for value, (name, (adapter, text, default)) in zip(values, checks.items(), strict=False):
            if value is None and default is not inspect.Parameter.empty:
                value = default
            try:
                taken.append(adapter.validate_python(value))
            except ValidationError:
                raise BadInput(f"The parameter {name!r} takes: {text}; got {str(value)[:80]!r}.") from None
        return function(*taken, *values[len(taken) :], **more)

    return checked


def _input(parameter: inspect.Parameter, hint: Any) -> Any:
    if hint is ImagePath:
        return ImageFile(label=_described(parameter.name, hint), type="filepath", image_mode=None)
    if hint is ImagePaths:
        return gr.File(label=_described(parameter.name, hint), file_count="multiple", type="filepath")
    value = None if parameter.default is inspect.Parameter.empty else parameter.default
    return _json(hint, value, _described(parameter.name, hint))


def _json(hint: Any, value: Any, label: str) -> Api:
    kind, text = get_args(hint)[:2]
    if get_origin(kind) is dict or kind is dict:
        schema: dict[str, Any] = {"type": "object", "additionalProperties": {}}
    else:
        schema = python_type_to_json_schema(kind)
    return Api(value, {**schema, "description": text, "additional_description": text}, label)


def _described(name: str, hint: Any) -> str:
    return f"{name}: {get_args(hint)[1]}"
