"""“What now?”: up to three buttons after a result, each of which opens a view and presses what leads on."""

from __future__ import annotations

from html import escape

import gradio as gr


def what_now(*steps: tuple[str, str, str]) -> gr.Markdown:
    """Lay out the buttons; `elements.js` opens and presses.

    Args:
        steps: text of a button, key of the view that it opens, and the element that it presses there, "" for none.
    """
    buttons = "".join(
        f'<button type="button" data-opens="{escape(view, quote=True)}" data-press="{escape(press, quote=True)}">'
        f"{escape(text)}</button>"
        for text, view, press in steps
    )
    return gr.Markdown(f'<div class="what-now"><span>What now?</span>{buttons}</div>', sanitize_html=False)
