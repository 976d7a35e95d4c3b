"""What a new page costs the server's memory, and that its state is its own all the same."""

from __future__ import annotations

import asyncio
import tracemalloc

import gradio as gr
import pytest
from gradio.state_holder import SessionState, StateHolder

from apps.serving import sessions


def page() -> gr.Blocks:
    async def build() -> gr.Blocks:  # without a running loop, Gradio opens loops of its own and never closes them
        with gr.Blocks(analytics_enabled=False) as demo:
            gr.State([])
            for number in range(100):
                gr.Dropdown([str(choice) for choice in range(100)], label=f"Menu {number}")
        return demo

    return asyncio.run(build())


def test_a_session_is_small_and_has_state_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    demo = page()
    monkeypatch.setattr("gradio.state_holder.SessionState", SessionState)  # what `install` puts there goes at the end
    sizes = []
    for install in (lambda: None, sessions.install):
        install()
        holder = StateHolder()
        holder.set_blocks(demo)
        tracemalloc.start()
        for number in range(20):
            _ = holder[f"page {number}"]
        sizes.append(tracemalloc.get_traced_memory()[0] / 20)
        tracemalloc.stop()
    assert sizes[1] < 20_000 < sizes[0]
    state = next(key for key, block in demo.blocks.items() if isinstance(block, gr.State))
    holder["page 1"][state].append("mine")
    assert holder["page 2"][state] == []
    menu = next(key for key, block in demo.blocks.items() if isinstance(block, gr.Dropdown))
    holder["page 1"][menu] = gr.Dropdown(["other"], label="Menu", render=False)
    assert holder["page 2"][menu] is demo.blocks[menu]
    assert not holder["page 1"].config_values
