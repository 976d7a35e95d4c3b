"""What all views of a page share: engine, model, the visitor's runs, and the exchange of images between views."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from apps.first_results import FirstResults
from apps.shared.events import ASIDE, LIGHT, handler
from apps.tabs import VIEWS, Tab
from workbench.errors import BadInput

if TYPE_CHECKING:
    from workbench.engine import Engine

Fill = Callable[..., list[Any]]
Labelled = tuple[tuple[str, str], ...]  # image file, label


@dataclass(frozen=True)
class Page:
    """Handed to every view's `build`."""

    engine: Engine
    model: gr.Dropdown  # the model that every view asks
    exchange: Exchange
    runs: gr.State  # RunList: the visitor's audit runs, of whatever view
    address: gr.Textbox  # what follows "?" in the page's address; it changes once, where there is something
    _lists: list[tuple[Any, Callable[[], Any]]] = field(default_factory=list)

    @functools.cached_property
    def first(self) -> FirstResults:
        """What views show before a visitor asks."""
        return FirstResults(self.engine, self.model)

    def list_when_opened(self, widget: Any, update: Callable[[], Any]) -> None:
        """Bring a list up to date when the page is opened; `connect` makes one event of all lists."""
        self._lists.append((widget, update))

    def connect(self) -> None:
        """Wire what views asked for while they were built."""
        self.exchange.connect()
        if self._lists:
            widgets, updates = zip(*self._lists, strict=True)
            gr.on(None, lambda: [update() for update in updates], None, [*widgets], **ASIDE)


def address_box() -> gr.Textbox:
    """Lay out the box that `elements.js` fills with what follows "?" in the page's address."""
    return gr.Textbox(label="Address", elem_id="address", elem_classes="bridge")


@dataclass(frozen=True)
class _Source:
    key: str
    image: Any  # component whose value is a path, or None
    labels: tuple[Any, ...]  # components whose values are labels as typed
    buttons: dict[str, gr.Button]  # view -> what sends there


@dataclass(frozen=True)
class _Target:
    widgets: list[Any]
    fill: Fill
    after: dict[str, Any] | None
    opens: dict[Any, Any]


@dataclass(frozen=True)
class _ManySource:
    inputs: list[Any]
    images: Callable[..., Labelled]
    buttons: dict[str, gr.Button]  # view -> what sends there


@dataclass
class Exchange:
    """Sends image and labels of one view to another in one click; the model is the page's, so it stays.

    A view that gives calls `offer` where its buttons shall stand; a view that takes calls `accept`. The order in which
    views are built does not matter: `connect` joins them at the end.
    """

    tabs: gr.Tabs
    _sources: list[_Source] = field(default_factory=list)
    _targets: dict[str, _Target] = field(default_factory=dict)
    _many: list[_ManySource] = field(default_factory=list)
    _takers: dict[str, _Target] = field(default_factory=dict)

    def offer(self, key: str, image: Any, *labels: Any, now: Sequence[str] = ()) -> None:
        """Lay out one button for each view that receives; first those that lead on from this result.

        Args:
            key: of the view that sends.
            image: component that holds a path on this machine.
            labels: components that hold labels as typed.
            now: views that lead on from this result.
        """
        others = {tab.key: tab.title for tab in VIEWS.values() if tab.receives and tab.key not in (key, *now)}
        buttons: dict[str, gr.Button] = {}
        for title, texts in (
            ("What now?", {to: VIEWS[to].invites or VIEWS[to].title for to in now}),
            ("Send to", others),
        ):
            with gr.Row(visible=bool(texts), elem_classes=["send-to", "first"] if texts is not others else "send-to"):
                gr.Markdown(title, elem_classes="notes")
                for to, text in texts.items():
                    buttons[to] = gr.Button(text, size="sm", min_width=0, elem_id=f"{key}-to-{to}")
        self._sources.append(_Source(key, image, labels, buttons))

    def accept(
        self,
        key: str,
        widgets: list[Any],
        fill: Fill,
        *,
        after: dict[str, Any] | None = None,
        opens: dict[Any, Any] | None = None,
    ) -> None:
        """Let a view receive.

        Args:
            key: of the view that receives.
            widgets: what is filled.
            fill: (path or None, labels, *present values of the widgets) -> new values of the widgets.
            after: an event, as a listener takes it, that answers once the widgets are filled.
            opens: tabs and boxes of the view -> update that shows what is filled.
        """
        self._targets[key] = _Target(widgets, fill, after, opens or {})

    def offer_many(self, key: str, inputs: list[Any], images: Callable[..., Labelled]) -> None:
        """Lay out one button for each view that takes many images with their labels.

        Args:
            key: of the view that sends.
            inputs: components whose values `images` takes after the key of the view that receives.
            images: returns image files on this machine with their labels.
        """
        with gr.Row(elem_classes=["send-to", "first"]):
            gr.Markdown("What now?", elem_classes="notes")
            buttons = {
                tab.key: gr.Button(tab.invites or tab.title, size="sm", min_width=0, elem_id=f"{key}-to-{tab.key}")
                for tab in VIEWS.values()
                if tab.takes_many
            }
        self._many.append(_ManySource(inputs, images, buttons))

    def accept_many(self, key: str, widgets: list[Any], fill: Fill, *, opens: dict[Any, Any] | None = None) -> None:
        """Let a view receive many images: (images with labels) -> new values of the widgets; see `accept`."""
        self._takers[key] = _Target(widgets, fill, None, opens or {})

    def check(self, tab: Tab) -> None:
        """Raise BadInput for a view whose row says that it receives, and that accepts nothing."""
        if tab.receives and tab.key not in self._targets:
            raise BadInput(f"The view {tab.key!r} receives an image: its build calls page.exchange.accept.")
        if tab.takes_many and tab.key not in self._takers:
            raise BadInput(f"The view {tab.key!r} takes many images: its build calls page.exchange.accept_many.")

    def connect(self) -> None:
        """Wire every button to the view that it sends to."""
        for many in self._many:
            for key, button in many.buttons.items():
                to = self._takers[key]
                outputs = [self.tabs, *to.widgets, *to.opens]
                button.click(_sending_many(key, many.images, to), many.inputs, outputs, **LIGHT)
        for source in self._sources:
            for key, button in source.buttons.items():
                to = self._targets[key]
                sent = button.click(
                    _sending(key, to, len(source.labels)),
                    [source.image, *source.labels, *to.widgets],
                    [self.tabs, *to.widgets, *to.opens],
                    **LIGHT,
                )
                if to.after is not None:
                    sent.success(**{**to.after, "trigger_mode": "multiple"})


def _sending(key: str, to: _Target, count: int) -> Callable[..., list[Any]]:
    @handler
    def send(image: str | None, *values: Any) -> list[Any]:
        labels = ", ".join(str(one).strip(", ") for one in values[:count] if one)
        return [gr.Tabs(selected=key), *to.fill(image or None, labels, *values[count:]), *to.opens.values()]

    return send


def _sending_many(key: str, images: Callable[..., Labelled], to: _Target) -> Callable[..., list[Any]]:
    @handler
    def send(*inputs: Any) -> list[Any]:
        return [gr.Tabs(selected=key), *to.fill(images(key, *inputs)), *to.opens.values()]

    return send


def put(image: str | None, labels: str, *_: Any) -> list[Any]:
    """Fill an image box and a labels box; what was not sent stays."""
    return [image or gr.skip(), labels or gr.skip()]
