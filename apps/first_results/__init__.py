"""First results: every view opens with the answer to its first example, marked as such, until a visitor asks.

The first visitor who opens a view has its example computed, by the function that the view's own button calls; all
others get what was kept (`keeping`) of the default model. What takes long comes ready-made, of the shipped model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from apps.first_results.keeping import Kept, is_update, keep, put_back, ready_made, write_ready
from apps.shared.events import ASIDE, PAUSE, QUIET, when_drawn

if TYPE_CHECKING:
    from workbench.engine import Engine

MARK = "**Example.** Your own input takes its place."
GIVEN = (gr.Textbox, gr.Image, gr.File, gr.Gallery)  # what a visitor, a link or another view fills in
WORKING = "The model is answering the example …"


class FirstResults:
    """The results that all visitors of a page share.

    Args:
        engine: owns the models.
        model: the page's menu; results are kept for the default model alone.
    """

    def __init__(self, engine: Engine, model: gr.Dropdown) -> None:
        self._engine, self._model = engine, model
        self._kept: dict[str, Kept] = {}
        self._ready: dict[str, tuple[Mapping[str, Any], Mapping[Any, Any]]] = {}

    def mark(self, view: str) -> gr.Markdown:
        """Lay out the line that says that an example is shown; `first_results.js` hides it for good."""
        return gr.Markdown(MARK, visible=False, elem_id=f"{view}-mark", elem_classes=["example-mark", "notes"])

    def fill(self, form: Mapping[Any, Any], *, mark: gr.Markdown) -> None:
        """Fill the example into a view that answers every edit by itself, when it is drawn and still empty.

        Args:
            form: the example: widget -> value, or a function that returns it.
            mark: from `mark`.
        """

        def opened(typed: dict[Any, Any], request: gr.Request) -> list[Any]:
            if not _untouched(form, typed, request):
                return [gr.skip()] * (1 + len(form))
            return [gr.update(visible=True), *_example(form).values()]

        when_drawn(opened, {*form}, [mark, *form], **ASIDE)

    def show(
        self, view: str, event: Mapping[str, Any], form: Mapping[Any, Any], *, mark: gr.Markdown, ready: bool = False
    ) -> None:
        """Answer a view's first example when it is drawn and still empty.

        Args:
            view: its key.
            event: of the view's button, as a listener takes it: `fn`, `inputs`, `outputs` and so on.
            form: the example: widget -> value, or a function that returns it.
            mark: from `mark`.
            ready: the result comes with the workbench, for its shipped model; see `keeping`.
        """
        drawn, outputs = gr.Timer(PAUSE), list(event["outputs"])
        status = [one for one in outputs if "live" in (one.elem_classes or ())][:1]  # where the view says how far it is
        if ready:
            self._ready[view] = event, form

        def opened(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
            yield {drawn: gr.Timer(active=False)}
            if not _untouched(given, typed, request):
                return
            default = typed[self._model] == self._engine.default
            kept = self._find(view, outputs) if default or ready else None
            if ready and kept is None:
                return  # what takes long is not computed unasked
            example = _example(form)
            answer = put_back(kept, outputs) if kept else dict.fromkeys(status, WORKING)
            yield {**example, **answer, mark: gr.update(visible=True)}
            if kept:
                return
            shown: dict[Any, Any] = {}
            last: dict[Any, Any] = {}
            try:
                for update in _steps(event, {**typed, **example}, request):
                    if last:
                        yield last
                    last = update
                    shown |= {
                        one: _merged(shown.get(one), value) for one, value in update.items() if not _skipped(value)
                    }
            except gr.Error:  # a model that is missing: the view says so when it is asked
                yield {one: one.value for one in status} | {mark: gr.update(visible=False)}
                return
            if default and shown:
                self._kept[view] = keep(shown, outputs)
            if last:
                yield last  # with nothing left to do: at the end Gradio shows it again, over newer answers

        given = {*form, *(one for one in event["inputs"] if isinstance(one, GIVEN) and one.visible is True)}
        asking = {*event["inputs"], *form, self._model}
        lines = {name: event[name] for name in ("concurrency_id", "concurrency_limit") if name in event}
        drawn.tick(opened, asking, [drawn, mark, *dict.fromkeys([*form, *outputs])], **lines, **QUIET)

    def make_ready(self, view: str) -> Path:
        """Answer a view's example now, and write the result that comes with the workbench; return its file."""
        event, form = self._ready[view]
        example, shown = _example(form), dict[Any, Any]()
        typed = {one: one.value for one in {*event["inputs"], self._model}} | example
        for update in _steps(event, typed, None):
            shown |= {one: _merged(shown.get(one), value) for one, value in update.items() if not _skipped(value)}
        return write_ready(view, shown, list(event["outputs"]))

    @property
    def ready(self) -> list[str]:
        """Keys of the views whose results come ready-made."""
        return [*self._ready]

    def _find(self, view: str, outputs: Sequence[Any]) -> Kept | None:
        if view not in self._kept and view in self._ready and (kept := ready_made(view, outputs)):
            self._kept[view] = kept
        return self._kept.get(view)


def _example(form: Mapping[Any, Any]) -> dict[Any, Any]:
    return {widget: value() if callable(value) else value for widget, value in form.items()}


def _untouched(form: Iterable[Any], typed: Mapping[Any, Any], request: gr.Request) -> bool:
    """Whether nobody fills in the form: no link, no other view and no visitor."""
    return not request.query_params and all((typed[one] or None) == (one.value or None) for one in form)


def _steps(event: Mapping[str, Any], typed: dict[Any, Any], request: gr.Request | None) -> Iterator[dict[Any, Any]]:
    """Yield what an event's function shows, as widget -> value."""
    inputs, outputs = event["inputs"], event["outputs"]
    result = event["fn"](*([typed] if isinstance(inputs, set) else [typed[widget] for widget in inputs]), request)
    for update in result if isinstance(result, Iterator) else [result]:
        named = update if isinstance(update, dict) else dict(zip(outputs, update, strict=True))
        yield {widget: value for widget, value in named.items() if widget in outputs}


def _merged(before: Any, after: Any) -> Any:
    """Put a newer update of a widget over an older one; a part that it does not name stays."""
    if not is_update(after):
        return {**before, "value": after} if is_update(before) else after
    return {**(before if is_update(before) else {} if before is None else gr.update(value=before)), **after}


def _skipped(value: Any) -> bool:
    return is_update(value) and len(value) == 1
