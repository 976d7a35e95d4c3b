"""What a page costs the server's memory, that its state is its own all the same, and that it goes with its page."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref

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
    monkeypatch.setattr("gradio.routes.StateHolder", StateHolder)
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


class Large:
    """What a view keeps for its page."""


def test_what_a_page_leaves_behind_is_forgotten_and_what_is_shown_is_kept() -> None:
    now = [0.0]
    holder, kept = sessions.Sessions(lambda: now[0]), {}
    holder.set_blocks(demo := page())
    state = next(key for key, block in demo.blocks.items() if isinstance(block, gr.State))

    def there() -> set[str]:
        holder.delete_all_expired_state()
        gc.collect()
        return {name for name, reference in kept.items() if reference() is not None}

    with holder.shown("open"), holder.shown("open"):
        with holder.shown("closed"):
            for name in ("open", "closed", "no browser"):
                large = Large()
                holder[name][state], kept[name] = large, weakref.ref(large)
            del large
            now[0] = 900.0
            assert there() == {"open", "closed"}
        now[0] = 1400.0
        assert there() == {"open", "closed"}
        now[0] = 1600.0
        assert there() == {"open"}
        assert "open" in holder
        assert "closed" not in holder
    now[0] = 1700.0
    holder["open"]
    now[0] = 2250.0
    assert there() == {"open"}
    now[0] = 2400.0
    assert not there()
    assert not holder.session_data
    assert not holder.time_last_used
