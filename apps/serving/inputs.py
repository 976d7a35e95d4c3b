"""What was sent to a box that does not take it: gradio raises whatever it meets, and the sender gets a sentence.

Does not know about views. A value that its box takes is the view's to judge.
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


def in_words(blocks: gr.Blocks) -> None:
    """Let a page answer inputs that are not of their kind in a sentence, from now on."""
    preprocess = blocks.preprocess_data

    async def worded(function: BlockFunction, inputs: list[Any], *more: Any, **options: Any) -> Any:
        try:
            if any(map(_several, function.inputs, inputs)):
                raise TypeError
            return await preprocess(function, inputs, *more, **options)
        except gr.Error:
            raise
        except Exception as error:  # boundary: gradio's components check nothing before they use a value
            raise gr.Error(_sentence(function, inputs, error), print_exception=False) from None

    blocks.preprocess_data = worded  # type: ignore[method-assign, assignment]


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
    label = getattr(boxes[wrong], "label", None) or boxes[wrong].get_block_name()
    if _names_a_file(inputs[wrong]):
        return f"“{label}” got a path that is no upload here; upload the file first."
    return f"“{label}” does not take {str(inputs[wrong])[:SHOWN]!r}."


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
