"""What was sent to a box that does not take it: gradio and views raise what they meet, and the sender gets a sentence.

Does not know about views. A value that its box takes is the view's to judge; one that no page sends is judged here once
a view has failed with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.exceptions import InvalidPathError

if TYPE_CHECKING:
    from gradio.block_function import BlockFunction

SHOWN = 80  # characters of what was sent
INDEX = re.compile(r"at index (\d+)")  # in gradio's words about a component that failed
KINDS: tuple[tuple[tuple[type, ...], type | tuple[type, ...]], ...] = (  # of boxes, and of what their pages send
    ((gr.Checkbox,), bool),
    ((gr.Number, gr.Slider), (int, float)),
    ((gr.Textbox, gr.Code), str),
    ((gr.Radio,), (str, int, float)),
    ((gr.CheckboxGroup,), list),
)


def in_words(blocks: gr.Blocks) -> None:
    """Let a page answer inputs that are not of their kind in a sentence, from now on."""
    preprocess, process = blocks.preprocess_data, blocks.process_api

    async def worded(function: BlockFunction, inputs: list[Any], *more: Any, **options: Any) -> Any:
        try:
            if any(map(_several, function.inputs, inputs)):
                raise TypeError
            return await preprocess(function, inputs, *more, **options)
        except gr.Error as error:
            error.print_exception = False  # what a visitor sent is no fault to trace
            raise
        except Exception as error:  # boundary: gradio's components check nothing before they use a value
            raise gr.Error(_sentence(function, inputs, error), print_exception=False) from None

    async def judged(block_fn: BlockFunction, inputs: list[Any], *more: Any, **options: Any) -> Any:
        try:
            return await process(block_fn, inputs, *more, **options)
        except gr.Error:
            raise
        except Exception:  # boundary: a view failed; where its inputs come from no page, that is why
            event = options.get("event_data")
            if block_fn.collects_event_data and not (event and event._data):
                raise gr.Error(
                    "This call needs the choice on the page that it comes from.", print_exception=False
                ) from None
            for box, value in zip(block_fn.inputs, inputs, strict=False):
                if not _from_a_page(box, value):
                    raise gr.Error(_refusal(box, value), print_exception=False) from None
            raise

    blocks.preprocess_data = worded  # type: ignore[method-assign, assignment]
    blocks.process_api = judged  # type: ignore[method-assign, assignment]


def _sentence(function: BlockFunction, inputs: list[Any], error: Exception) -> str:
    boxes = function.inputs
    if len(inputs) < len(boxes):
        return f"This call takes {len(boxes)} inputs; got {len(inputs)}."
    index = INDEX.search(str(error))
    if isinstance(error, InvalidPathError):
        wrong = next((n for n, value in enumerate(inputs) if _names_a_file(value)), None)
    else:
        wrong = int(index[1]) if index else next((n for n, box in enumerate(boxes) if not _fits(box, inputs[n])), None)
    if wrong is None:
        return "An input is not of the kind that its box takes."
    return _refusal(boxes[wrong], inputs[wrong])


def _refusal(box: Any, value: Any) -> str:
    label = getattr(box, "label", None) or box.get_block_name()
    if _names_a_file(value):
        return f"“{label}” got a path that is no upload here; upload the file first."
    return f"“{label}” does not take {str(value)[:SHOWN]!r}."


def _from_a_page(box: Any, value: Any) -> bool:
    """Whether a page sends such a value from a box."""
    if isinstance(box, gr.Dropdown):
        kinds = {str, *(type(one) for _, one in box.choices)}
        chosen = value if box.multiselect else [value]
        return isinstance(chosen, list) and all(type(one) in kinds for one in chosen)
    kind = next((kind for boxes, kind in KINDS if isinstance(box, boxes)), object)
    return isinstance(value, kind) and (kind in (bool, object) or not isinstance(value, bool)) and _fits(box, value)


def _several(box: Any, value: Any) -> bool:
    """Whether a list came for a single choice, which gradio passes on where a visitor may write an own one."""
    return isinstance(box, gr.Dropdown) and not box.multiselect and isinstance(value, (list, dict))


def _names_a_file(value: Any) -> bool:
    if isinstance(value, dict):
        return "path" in value or any(map(_names_a_file, value.values()))
    return isinstance(value, list) and any(map(_names_a_file, value))


def _fits(box: Any, value: Any) -> bool:
    """Whether a value is of the form that a box declares, if it does."""
    if _several(box, value):
        return False
    model = getattr(box, "data_model", None)
    try:
        if model is not None and value is not None:
            model.model_validate(value, context={"validate_meta": True})
    except ValueError:
        return False
    return True
