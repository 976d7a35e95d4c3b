"""What the API offers for classification: plain JSON in and out, by the same functions as the views."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import gradio as gr

from apps import limits
from apps.classify.answer import answer
from apps.classify.matrix import check_counts
from apps.shared.api import ImagePath, ImagePaths
from apps.shared.events import owner
from apps.shared.jobs import Jobs
from apps.shared.query import read_setup
from workbench.batch.export import to_json
from workbench.batch.run import Row, classify_samples
from workbench.datasets.uploads import read_uploads
from workbench.engine import Engine
from workbench.reproduce import OWN, Setup, csv_row
from workbench.zeroshot import contrast

ANSWER, BATCH = Jobs("answer"), Jobs("batch")
Labels = Annotated[list[str], "1 to 256 labels to choose from"]
Model = Annotated[str, "key of a model; empty for the server's default"]


def endpoints(engine: Engine) -> list[Callable[..., Any]]:
    """Return the functions; each is an endpoint of its own name."""
    return [make(engine) for make in (_classify, _classify_many, _match, _compare)]


def _setup(labels: list[str], templates: str, model: str, *, none_of_these: bool = False) -> Setup:
    own = "{" in templates
    words = (csv_row(tuple(labels)), OWN if own else templates, templates if own else "")
    return read_setup(*words, none_of_these=none_of_these, model=model)


def _classify(engine: Engine) -> Callable[..., Any]:
    def classify(
        image: ImagePath,
        labels: Labels,
        templates: Annotated[str, "key of a template set, or templates with {}, one per line"] = "one",
        none_of_these: Annotated[bool, "add a generic background class"] = False,
        model: Model = "",
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> Annotated[dict[str, Any], "model; answers: label, probability, cosine and taught, likeliest first; notes"]:
        """Classify one image with any labels (zero-shot)."""
        setup = _setup(labels, templates, model or engine.default, none_of_these=none_of_these)
        with engine.session(owner(request), setup.model, deadline=ANSWER.seconds) as session:
            result = answer(session, image, setup, engine=engine)
        return {"model": setup.model, "answers": result.plain(), "notes": list(result.notes)}

    return classify


def _classify_many(engine: Engine) -> Callable[..., Any]:
    def classify_many(
        images: ImagePaths,
        labels: Labels,
        model: Model = "",
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> Annotated[dict[str, Any], "model, and results: one per image, likeliest label first"]:
        """Classify many images with the same labels; one that cannot be read has an error instead of labels."""
        setup = _setup(labels, "one", model or engine.default)
        rows: tuple[Row, ...] = ()
        samples = read_uploads(images, limit=limits.current().pictures).samples
        with engine.session(owner(request), setup.model, deadline=BATCH.seconds) as session:
            for step in classify_samples(session, samples, setup.labels, templates=setup.prompts):
                rows += step.rows
        return {"model": setup.model, "results": to_json(rows, {})}

    return classify_many


def _match(engine: Engine) -> Callable[..., Any]:
    def match(
        images: ImagePaths,
        texts: Annotated[list[str], "1 to 16 texts, taken as they are: no prompt template"],
        model: Model = "",
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> Annotated[dict[str, Any], "cosines, text_given_image, image_given_text: one row per image, columns are texts"]:
        """Compare every image with every text, in both directions."""
        check_counts(images, texts, limits.current().contrast)
        with engine.session(owner(request), model or engine.default, deadline=ANSWER.seconds) as session:
            result = contrast(session, [Path(image) for image in images], texts)
        return {
            "cosines": result.cosines.tolist(),
            "text_given_image": result.text_given_image.tolist(),
            "image_given_text": result.image_given_text.tolist(),
        }

    return match


def _compare(engine: Engine) -> Callable[..., Any]:
    def compare(
        image: ImagePath,
        labels: Labels,
        model_a: Annotated[str, "key of the first model"],
        model_b: Annotated[str, "key of the second model"],
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> Annotated[dict[str, Any], "a and b: label, probability and cosine, likeliest first"]:
        """Classify one image with two models."""
        setup, answers = _setup(labels, "one", model_a), {}
        for side, model in (("a", model_a), ("b", model_b)):
            with engine.session(owner(request), model, deadline=ANSWER.seconds) as session:
                answers[side] = answer(session, image, setup, engine=engine).plain()
        return answers

    return compare
