"""What the API offers for attribution: plain JSON, by the same function as the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import gradio as gr

from apps.attribution import JOBS, METHODS
from apps.attribution import explain as explain_steps
from apps.attribution.words import checked
from apps.shared.api import ImagePath
from apps.shared.events import owner
from apps.shared.query import read_setup
from workbench.engine import Engine
from workbench.reproduce import csv_row


def endpoints(engine: Engine) -> list[Callable[..., Any]]:
    """Return the functions; each is an endpoint of its own name."""
    return [_explain(engine)]


def _explain(engine: Engine) -> Callable[..., Any]:
    def explain(
        image: ImagePath,
        labels: Annotated[list[str], "1 to 256 labels to choose from"],
        label: Annotated[str, "the label to explain; empty for the likeliest"] = "",
        method: Annotated[str, f"one of {', '.join(METHODS)}"] = "occlusion",
        model: Annotated[str, "key of a model; empty for the server's default"] = "",
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> Annotated[dict[str, Any], "label, method, ninths: share of the support in a grid of 3 × 3, summary"]:
        """Say which part of an image supports a label."""
        setup = read_setup(csv_row(tuple(labels)), "one", "", none_of_these=False, model=model or engine.default)
        with engine.session(owner(request), setup.model, deadline=JOBS.seconds) as session:
            *_, why = explain_steps(session, image, setup, label=label, method=method)
        text = " ".join([why.summary, *checked(why.attribution)])
        return {"label": why.label, "method": method, "ninths": why.to_dict()["ninths"], "summary": text}

    return explain
