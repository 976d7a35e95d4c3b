"""Puts the endpoints into the page: the same queue, limits and isolation as the views, and a lighter page.

A generator's steps are sent as events; an error has its sentence, and its class as `title`: the code.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components.api_component import Api
from gradio.context import get_blocks_context

from apps.api.asking import Ask
from apps.api.table import ENDPOINTS, Endpoint
from apps.shared.events import ASKS_MODEL, LONG, owner
from apps.shared.jobs import throttle
from workbench.errors import WorkbenchError
from workbench.progress import Progress
from workbench.strict_json import plain

if TYPE_CHECKING:
    from workbench.engine import Engine

DESCRIBING = ("api_info_as_input", "api_info_as_output", "example_inputs")  # what no client reads of a component


def build(engine: Engine) -> None:
    """Add the endpoints to the open page."""
    blocks = get_blocks_context()
    assert blocks is not None
    known: dict[str, Api] = {}

    def component(label: str, schema: Mapping[str, Any], value: Any = None) -> Api:
        key = json.dumps([label, schema, value])
        if key not in known:  # one for all endpoints that take the same
            known[key] = Api(value, dict(schema), label)
        return known[key]

    with gr.Column(visible=False):
        for row in ENDPOINTS.values():
            inputs = [
                component(one.name, one.schema(), None if one.required or one.file else one.default)
                for one in row.parameters.values()
            ]
            answer = {"type": "object", "additionalProperties": {}, "description": row.answer}
            blocks.set_event_trigger(
                [],
                served(row, engine),
                inputs,
                [component("answer", answer)],
                no_target=True,
                api_name=row.name,
                api_description=row.text,
                show_progress="hidden",
                **(LONG if row.long else ASKS_MODEL) | {"trigger_mode": "multiple"},
            )


def served(row: Endpoint, engine: Engine) -> Any:
    """Return the function that gradio calls: values in the order of the parameters, and its request."""

    def begin(values: tuple[Any, ...]) -> Any:
        arguments = {one.name: one.checked(value) for one, value in zip(row.parameters.values(), values, strict=False)}
        request = values[-1] if len(values) > len(arguments) else None
        return row.function(Ask(engine, owner(request)), **arguments)

    def whole(*values: Any) -> Any:
        try:
            return answered(begin(values))
        except WorkbenchError as error:
            raise coded(error) from None

    def steps(*values: Any) -> Iterator[dict[str, Any]]:
        try:
            for step in throttle(begin(values), passes=lambda one: not isinstance(one, Progress)):
                yield {"progress": reported(step)} if isinstance(step, Progress) else answered(step)
        except WorkbenchError as error:
            raise coded(error) from None

    function: Any = steps if row.long else whole
    optional = [inspect.Parameter(one.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=_default(one))
                for one in row.parameters.values()]  # fmt: skip
    last = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request, default=None)
    function.__signature__ = inspect.Signature([*optional, last])
    function.__annotations__ = {"request": gr.Request}
    function.__name__ = row.name
    return function


def _default(one: Any) -> Any:
    return inspect.Parameter.empty if one.required else None if one.file else one.default


def coded(error: WorkbenchError) -> gr.Error:
    """Return an error as clients get it: the sentence, and its class as the code."""
    return gr.Error(str(error), title=type(error).__name__, print_exception=False)


def reported(step: Progress) -> dict[str, Any]:
    """Return a report of progress as JSON."""
    facts = {name: getattr(step, name) for name in ("done", "total", "unit", "stage", "seconds_left", "values")}
    return {**plain(facts), "text": step.text or step.line}


def answered(value: Any) -> Any:
    """Return an answer as JSON: files as gradio serves them, and no other `path`, which its clients would download."""
    if isinstance(value, Path):
        return gr.FileData(path=str(value), orig_name=value.name).model_dump()
    if isinstance(value, Mapping):
        return {"name" if key == "path" else str(key): answered(one) for key, one in value.items()}
    return [answered(one) for one in value] if isinstance(value, list | tuple) else plain(value)


def lighten(blocks: gr.Blocks) -> None:
    """Leave out of a page's configuration what only describes components to callers of an API that cannot reach them.

    Gradio describes each component four times, which is two fifths of a page; only those of endpoints are called.
    """
    whole = blocks.get_config_file
    called = {
        one._id for fn in blocks.fns.values() if fn.api_visibility == "public" for one in (*fn.inputs, *fn.outputs)
    }

    def light(config: Any) -> Any:
        for row in config["components"]:
            for name in (*DESCRIBING, *(() if row["id"] in called else ("api_info",))):
                row.pop(name, None)
            row["props"].pop("_api_info", None)
            if row["key"] is None:  # only `gr.render` keeps values by key
                row["props"].pop("preserved_by_key", None)
        for row in config["dependencies"]:
            row.pop("api_description", None)
        return config

    blocks.get_config_file = lambda: light(whole())  # type: ignore[method-assign]
    blocks.config = light(blocks.config)
