"""Endpoints of the views that classify, and of “Where it looks”."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from apps import limits
from apps.api.asking import Ask, Image, Images, Labels, Model, Steps, Templates
from workbench.progress import Progress
from workbench.reproduce import OWN, Setup, csv_row

Answers = Annotated[dict[str, Any], "model; answers: label, probability, cosine and taught, likeliest first; notes"]


def _setup(ask: Ask, labels: list[str], templates: str, model: str, *, none_of_these: bool = False) -> Setup:
    from apps.shared.query import read_setup

    own = "{" in templates
    words = (csv_row(tuple(labels)), OWN if own else templates, templates if own else "")
    return read_setup(*words, none_of_these=none_of_these, model=ask.model(model))


def models(
    ask: Ask,
) -> Annotated[dict[str, Any], "models: key, title, licence, what it was trained on, and whether it is on the server"]:
    """List the models that `model` may name."""
    from workbench.surface import catalogue

    return {"models": catalogue().to_dict("records")}


def classify(
    ask: Ask,
    image: Image,
    labels: Labels,
    templates: Templates = "one",
    none_of_these: Annotated[bool, "add a generic background class"] = False,
    model: Model = "",
) -> Answers:
    """Classify one image with any labels (zero-shot)."""
    from apps.classify.answer import answer

    setup = _setup(ask, labels, templates, model, none_of_these=none_of_these)
    with ask.session(setup.model) as session:
        result = answer(session, image, setup, engine=ask.engine)
    return {"model": setup.model, "answers": result.plain(), "notes": list(result.notes)}


def classify_many(
    ask: Ask, images: Images, labels: Labels, model: Model = ""
) -> Annotated[Steps, "model, and results: one per image, likeliest label first"]:
    """Classify many images with the same labels; one that cannot be read has an error instead of labels."""
    from workbench.batch.export import to_json
    from workbench.batch.run import Row, classify_samples
    from workbench.datasets.uploads import read_uploads

    setup = _setup(ask, labels, "one", model)
    samples, rows = read_uploads(images, limit=limits.current().pictures).samples, list[Row]()
    with ask.session(setup.model, "batch") as session:
        for step in classify_samples(session, samples, setup.labels, templates=setup.prompts):
            rows += step.rows
            yield Progress(step.done, step.total, "images")
    yield {"model": setup.model, "results": to_json(rows, {})}


def match(
    ask: Ask,
    images: Images,
    texts: Annotated[list[str], "1 to 16 texts, taken as they are: no prompt template"],
    model: Model = "",
) -> Annotated[
    dict[str, Any], "cosines, text_given_image, image_given_text: one row per image, columns are texts; note"
]:
    """Compare every image with every text, in both directions."""
    from apps.classify.matrix import check_counts
    from workbench.languages import language_note
    from workbench.zeroshot import contrast

    check_counts(images, texts, limits.current().contrast)
    with ask.session(model) as session:
        result = contrast(session, [Path(image) for image in images], texts)
        note = language_note(texts, session.spec)
    kept = {name: getattr(result, name) for name in ("cosines", "text_given_image", "image_given_text")}
    return {**kept, "note": note}


def compare(
    ask: Ask,
    image: Image,
    labels: Labels,
    model_a: Annotated[str, "key of the first model"],
    model_b: Annotated[str, "key of the second model"],
) -> Annotated[dict[str, Any], "a and b: label, probability and cosine, likeliest first"]:
    """Classify one image with two models."""
    return {side: classify(ask, image, labels, model=key)["answers"] for side, key in (("a", model_a), ("b", model_b))}


def explain(
    ask: Ask,
    image: Image,
    labels: Labels,
    label: Annotated[str, "the label to explain; empty for the likeliest"] = "",
    method: Annotated[str, "occlusion, grad-cam, integrated-gradients or attention-relevance"] = "occlusion",
    model: Model = "",
) -> Annotated[
    Steps, "label, method, ninths: share of the support in a grid of 3 × 3, summary, overlay: the map as a file"
]:
    """Say which part of an image supports a label."""
    from apps.api.asking import new_place
    from apps.attribution import explain as explain_steps
    from apps.attribution.words import checked
    from workbench.results.explanation import Explanation

    setup = _setup(ask, labels, "one", model)
    with ask.session(setup.model, "attribution") as session:
        for step in explain_steps(session, image, setup, label=label, method=method):
            if not isinstance(step, Explanation):
                yield step
                continue
            file = new_place("map") / "map.png"
            step.overlay().save(file)
            text = " ".join([step.summary, *checked(step.attribution)])
            yield {**step.to_dict(), "summary": text, "overlay": file}
