"""The page as a whole: it builds, events share one queue, errors become messages, text stays text."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

import apps
from apps import TITLE, assemble
from apps.requirements import REQUIREMENTS, lacking
from apps.serving.turns import VISITOR
from apps.shared.charts import Scale, bars, heat_map, plain
from apps.shared.events import LONG, MODEL_QUEUE, handler, owner
from apps.shared.markdown import literal
from apps.shared.navigation import script
from apps.tabs import GROUPS, TABS
from workbench.engine import Engine
from workbench.errors import BadInput, Cancelled


@pytest.fixture(scope="module")
def page(engine: Engine) -> gr.Blocks:
    async def build() -> gr.Blocks:  # without a running loop, Gradio opens loops of its own and never closes them
        return assemble(engine)

    return asyncio.run(build())


def test_the_page_builds_with_its_title(page: gr.Blocks) -> None:
    assert page.title == TITLE
    assert TABS[0].key == "classify"


def test_u3_the_description_of_the_page_is_light(page: gr.Blocks) -> None:
    """The browser reads it before it shows anything; it travels compressed, at less than a tenth."""
    described = json.dumps(page.get_config_file(), default=str).encode()
    assert len(described) < 1_300_000
    assert len(gzip.compress(described, 6)) < 120_000


def test_every_visible_field_has_a_label(page: gr.Blocks) -> None:
    fields = (gr.Textbox, gr.Dropdown, gr.Radio, gr.Slider, gr.Checkbox, gr.Image, gr.Dataframe, gr.Plot)
    unlabelled = [block for block in page.blocks.values() if isinstance(block, fields) and not block.label]
    assert unlabelled == []


def test_no_view_hides_more_than_three_parts_in_closed_boxes(page: gr.Blocks) -> None:
    def below(block: Any) -> Iterator[Any]:
        for child in getattr(block, "children", []):
            yield child
            yield from below(child)

    views = [block for block in page.blocks.values() if str(block.elem_id).startswith("view-")]
    closed = {
        view.elem_id: [one.label for one in below(view) if isinstance(one, gr.Accordion) and not one.open]
        for view in views
    }
    assert len(closed) == len(TABS)
    assert {key: boxes for key, boxes in closed.items() if len(boxes) > 3} == {}
    assert closed["view-classify"] == ["Template by template", "Reproduce"]


def test_no_button_uploads_an_image_elsewhere(page: gr.Blocks) -> None:
    """Gradio's images and galleries have a button that posts them to a public forum, unless a list says otherwise."""
    offered = [part["props"].get("buttons") or [] for part in page.get_config_file()["components"]]
    assert sum("fullscreen" in buttons for buttons in offered) > 10
    assert [buttons for buttons in offered if "share" in buttons] == []


def test_what_asks_a_model_shares_one_queue(page: gr.Blocks) -> None:
    asking = [fn for fn in page.fns.values() if fn.queue and fn.concurrency_id == MODEL_QUEUE]
    assert {"classify", "compare", "match", "search", "ask", "follow", "plan"} <= {
        fn.api_name.rstrip("_0123456789") for fn in asking
    }


CHOICES = (gr.Radio, gr.Dropdown, gr.Checkbox, gr.CheckboxGroup, gr.Slider)


def test_what_skips_the_queue_takes_choices_only(page: gr.Blocks) -> None:
    """Text, files and kept results can be large: reading them may take long, so it waits its turn."""
    unqueued = [fn for fn in page.fns.values() if not fn.queue and not _first_result(fn)]  # which reads nothing
    assert len(unqueued) > 20
    takes = {fn.api_name: [type(one).__name__ for one in fn.inputs if not isinstance(one, CHOICES)] for fn in unqueued}
    assert {name: kinds for name, kinds in takes.items() if kinds} == {}


def jobs(page: gr.Blocks) -> list[Any]:
    """Events of many steps that somebody asks for; a view's first result is shown by itself, once."""
    many = [fn for fn in page.fns.values() if inspect.isgeneratorfunction(fn.fn)]
    return [fn for fn in many if not _first_result(fn)]


def _first_result(fn: Any) -> bool:
    return fn.fn.__qualname__.startswith("FirstResults.")


def test_runs_of_many_steps_take_no_slot_of_a_short_question(page: gr.Blocks) -> None:
    long = {fn.concurrency_id for fn in jobs(page)}
    assert long == {LONG["concurrency_id"], "download", "learn"}
    assert MODEL_QUEUE not in long


def test_the_last_edit_or_question_is_answered_however_fast_they_come(page: gr.Blocks) -> None:
    edited = {"change", "input", "release"}
    ignoring = [fn for fn in page.fns.values() if fn.queue and fn.trigger_mode == "once"]
    assert len(ignoring) > 20  # sending, choosing a row and the like
    assert [fn.fn.__qualname__ for fn in ignoring if edited & {event for _, event in fn.targets}] == []
    assert [fn.fn.__qualname__ for fn in ignoring if fn.concurrency_id == MODEL_QUEUE and not _first_result(fn)] == []


def test_no_press_of_a_button_that_runs_is_lost(page: gr.Blocks) -> None:
    assert [fn.api_name for fn in page.fns.values() if fn.cancels] == []  # see `apps.shared.jobs`
    long = jobs(page)
    assert len(long) >= 4
    assert {fn.trigger_mode for fn in long} == {"multiple"}


def test_components_of_ours_leave_no_stubs_behind(page: gr.Blocks) -> None:
    assert list(Path(apps.__file__).parent.glob("*.pyi")) == []


def test_every_view_is_complete(page: gr.Blocks) -> None:
    assert len({tab.key for tab in TABS}) == len(TABS)
    assert {tab.group for tab in TABS} <= set(GROUPS)
    assert all(need in REQUIREMENTS for tab in TABS for need in tab.needs)
    table = script().split("const GROUPS = ")[1].split(";\n")[0]
    listed = [view["key"] for group in json.loads(table) for view in group["views"]]
    assert sorted(listed) == sorted(tab.key for tab in TABS)


def test_every_view_that_receives_is_reached_from_every_view_that_sends(page: gr.Blocks) -> None:
    buttons = {block.elem_id: block._id for block in page.blocks.values() if isinstance(block, gr.Button)}
    receivers = [tab.key for tab in TABS if tab.receives]
    wired = {target[0] for fn in page.fns.values() for target in fn.targets}
    for sender in receivers[:-1]:  # audits only receive
        for receiver in receivers:
            assert sender == receiver or buttons[f"{sender}-to-{receiver}"] in wired


def test_what_a_model_lacks_is_said() -> None:
    assert lacking("pocket", ("gradients", "convolutional tower")) == ""
    assert "no gradients" in lacking("fake", ("gradients", "text gradients"))
    assert "transformer" in lacking("openai/clip-vit-base-patch32", ("convolutional tower",))
    assert lacking("open_clip:RN50/openai", ("convolutional tower",)) == ""


def test_no_event_needs_evaluated_script(page: gr.Blocks) -> None:
    assert [fn.api_name for fn in page.fns.values() if isinstance(fn.js, str)] == []


def test_an_error_of_ours_becomes_a_message_and_another_crashes() -> None:
    @handler
    def ours() -> None:
        raise BadInput("Give a label.")

    @handler
    def foreign() -> None:
        raise ZeroDivisionError

    with pytest.raises(gr.Error, match="Give a label"):
        ours()
    with pytest.raises(ZeroDivisionError):
        foreign()


def test_a_cancelled_generator_ends_quietly_and_a_failed_one_with_a_message() -> None:
    @handler
    def stopped() -> Iterator[int]:
        yield 1
        raise Cancelled("stopped")

    @handler
    def failed() -> Iterator[int]:
        yield 1
        raise BadInput("No such step.")

    assert list(stopped()) == [1]
    steps = failed()
    assert next(steps) == 1
    with pytest.raises(gr.Error, match="No such step"):
        next(steps)


def test_a_visitor_without_a_page_has_an_owner_too() -> None:
    assert owner(None) == "local"
    request = gr.Request(SimpleNamespace(scope={VISITOR: "10.0.0.1"}), session_hash="word")  # type: ignore[arg-type]
    assert owner(request) == "10.0.0.1|word"


@pytest.mark.parametrize(
    "text", ["![x](http://example.org/a.png)", "<img src=x onerror=y>", "**bold** `code` $$x$$ &amp;"]
)
def test_typed_text_is_escaped_for_markdown(text: str) -> None:
    shown = literal(text)
    assert re.sub(r"\\(.)", r"\1", shown) == text
    assert not re.search(r"(?<!\\)[!-/:-@\[\]^_`{|}~]", shown)


def test_figures_hold_the_numbers_and_take_markup_literally() -> None:
    import numpy as np

    figure = bars(["<b>cat</b>", "dog"], {"probability": [0.75, 0.25]}, axis="probability", top=1.0)
    assert list(figure.data[0].x) == [0.75, 0.25]
    signed = bars(["a", "b"], {"difference": [0.06, -0.04]}, axis="difference")
    assert signed.layout.xaxis.range == pytest.approx((-0.07, 0.09))  # room for the numbers beside the bars
    tiny = bars(["a", "b", "c"], {"probability": [0.9996, 0.0004, 0.0]}, axis="probability").data[0]
    assert list(tiny.text) == ["1.000", "&lt;0.001", "0.000"]
    assert figure.layout.yaxis.ticktext[0] == plain("<b>cat</b>") == "&lt;b&gt;cat&lt;/b&gt;"
    cells = heat_map(np.array([[0.1, 0.2]]), ["cat"], ["a {}", "b {}"], title="cosine")
    assert np.asarray(cells.data[0].z).shape == (1, 2)


@pytest.mark.parametrize(("colours", "span"), [("Cividis", None), ("RdBu", (-1.0, 1.0)), ("Cividis", (-0.5, 0.5))])
def test_each_number_of_a_heat_map_can_be_read_on_its_cell(colours: str, span: tuple[float, float] | None) -> None:
    import numpy as np
    from plotly.colors import sample_colorscale, unlabel_rgb

    values = np.linspace(-1, 1, 200).reshape(20, 10)
    values[3, 3] = np.nan
    figure = heat_map(values, [*map(str, range(20))], [*map(str, range(10))], title="c", scale=Scale(colours, span))
    low, high = span or (-1, 1)
    seen = []
    for numbers in figure.data[1:]:
        number = _luminance(tuple(bytes.fromhex(numbers.textfont.color[1:])))
        for value in np.asarray(numbers.z)[~np.isnan(np.asarray(numbers.z, dtype=float))]:
            place = float(np.clip((value - low) / (high - low), 0, 1))
            (cell,) = sample_colorscale(colours, [place])
            light = number, _luminance(unlabel_rgb(cell))
            assert (max(light) + 0.05) / (min(light) + 0.05) >= 4.5  # WCAG AA
            seen.append(value)
        assert numbers.texttemplate == "%{z:.2f}"
    assert sorted(seen) == sorted(values[~np.isnan(values)])


def test_a_heat_map_has_numbers_only_where_they_fit() -> None:
    import numpy as np

    def written(rows: int, columns: int, value: float = 0.1) -> int:
        names = [*map(str, range(max(rows, columns)))]
        figure = heat_map(np.full((rows, columns), value), names[:rows], names[:columns], title="c")
        return sum(int((~np.isnan(np.asarray(one.z, dtype=float))).sum()) for one in figure.data[1:])

    assert (written(20, 10), written(21, 10), written(5, 13)) == (200, 0, 0)
    assert (written(20, 20, 12), written(2, 20, 1234)) == (400, 0)
    assert (written(5, 10, -0.1), written(5, 11, -0.1)) == (50, 0)


def _luminance(colour: tuple[float, ...]) -> float:
    red, green, blue = ((c / 255 / 12.92 if c <= 10.3 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
