"""Endpoints of “Evaluate”: compare models, probe, label errors, few shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

from apps.api.asking import Ask, Folder, Model, Models, Seed, Steps, Templates, Zip, seconds
from workbench.errors import BadInput
from workbench.progress import Progress

Shots = Annotated[list[int], "images a class of the few-shot probes, 1 to 256"]
Drawings = Annotated[int, "drawings of each few-shot probe, 1 to 50"]


def _check(shots: Sequence[int], seeds: int) -> None:
    if not (1 <= seeds <= 50 and len(shots) <= 8 and all(1 <= one <= 256 for one in shots)):
        raise BadInput(f"Up to 8 shots of 1 to 256, and 1 to 50 seeds; got {list(shots)[:8]} and {seeds}.")


def evaluate(
    ask: Ask,
    photos: Zip = "",
    folder: Folder = "",
    models: Models = [],  # noqa: B006
    by: Annotated[Literal["probe", "zero-shot"], "what decides which is best: probe or zero-shot"] = "probe",
    shots: Shots = [1, 4, 16],  # noqa: B006
    seeds: Drawings = 10,
    templates: Templates = "one",
    seed: Seed = 0,
) -> Annotated[
    Steps, "models: accuracy with its interval by each way, and the difference to the best; images: summary"
]:
    """Compare models on labelled images: zero-shot, few shots, full probe, and whether differences can be told."""
    from workbench.probes.evaluation import Ways
    from workbench.probes.table import EvaluationRequest
    from workbench.prompts import read_templates
    from workbench.results.evaluations import compare_models

    _check(shots, seeds)
    images = ask.labelled(photos, folder, seed)
    ways = Ways(
        tuple(sorted(set(shots))),
        seeds,
        seed,
        read_templates(templates.splitlines() if "{" in templates else templates),
    )
    question = EvaluationRequest(images, tuple(map(ask.model, models or [""])), ways, by, False, seed)
    for step in compare_models(ask.engine, question, owner=ask.visitor, deadline=seconds("evaluate")):
        yield step if isinstance(step, Progress) else {"models": step.to_dict(), "images": images.summary}


def probe(
    ask: Ask,
    photos: Zip = "",
    folder: Folder = "",
    alpha: Annotated[float, "conformal sets miss the true class with at most this probability, 0..1"] = 0.1,
    points_to: Annotated[bool, "also name the images and words that each class points to"] = False,
    seed: Seed = 0,
    model: Model = "",
) -> Annotated[Steps, "accuracy, low, high, n, strength (the L2 penalty), calibration, sets, sweep, classes"]:
    """Fit the CLIP paper's linear probe on labelled images."""
    from workbench.results.evaluations import fit_probe
    from workbench.surface import check_probe

    check_probe(alpha, {})
    images = ask.labelled(photos, folder, seed)
    with ask.session(model, "evaluate") as session:
        for step in fit_probe(session, images, alpha=alpha, points_to=points_to):
            yield step if isinstance(step, Progress) else step.to_dict()


def label_errors(
    ask: Ask, photos: Zip = "", folder: Folder = "", seed: Seed = 0, model: Model = ""
) -> Annotated[
    Steps, "suspects, the likeliest error first: name, given, suggested, probability; twice: pairs of images"
]:
    """Find labels that are probably wrong, and images that stand twice."""
    from workbench.probes.duplicates import duplicates, thumbnails
    from workbench.probes.embedding import embed_images, readable
    from workbench.probes.label_errors import named, out_of_sample, suspects

    images = ask.labelled(photos, folder, seed, complete=False)
    with ask.session(model, "evaluate") as session:
        for step in embed_images(session, images.samples):
            if isinstance(step, Progress):
                yield step
            else:
                images, made = readable(images, step)
    yield Progress(0, 0, "fits", "fit")
    probabilities, strength = out_of_sample(made.features, images.y, seed=seed)
    names = [sample.name for sample in images.samples]
    errors = named(suspects(probabilities, images.y), names, images.classes)
    twice = [(names[one.first], names[one.second]) for one in duplicates(made.embeddings, thumbnails(images.samples))]
    yield {"suspects": list(map(asdict, errors)), "images": len(names), "twice": twice, "strength": strength}


def few_shots(
    ask: Ask,
    photos: Zip = "",
    folder: Folder = "",
    methods: Annotated[list[str], "few-shot methods, such as clap or tip-adapter; none: every one"] = [],  # noqa: B006
    shots: Shots = [1, 4, 16],  # noqa: B006
    seeds: Drawings = 10,
    seed: Seed = 0,
    model: Model = "",
) -> Annotated[Steps, "few_shot: accuracy of each method and number of shots; equivalent_shots; wise_ft: the curve"]:
    """Compare ways to add a few labelled images to what a model knows by name."""
    from apps.shell._adapting import plain
    from workbench.probes.adaptation import AdaptationPlan
    from workbench.probes.adapters.methods import METHODS, find
    from workbench.probes.adapting import adaptations
    from workbench.probes.evaluation import ZERO_SHOT, Ways
    from workbench.probes.table import EvaluationRequest
    from workbench.results.evaluations import compare_models

    _check(shots, seeds)
    plan = AdaptationPlan(tuple(map(find, methods)) or METHODS, tuple(sorted(set(shots))), seeds, seed)
    images = ask.labelled(photos, folder, seed)
    question = EvaluationRequest(images, (ask.model(model),), Ways((), 1, seed), ZERO_SHOT, False, seed)
    for step in compare_models(ask.engine, question, owner=ask.visitor, deadline=seconds("evaluate")):
        if isinstance(step, Progress):
            yield step
        else:
            embedded = step.embedded
    for done, result in enumerate(adaptations(embedded, plan, {})):
        yield Progress(done, len(plan.methods) * len(plan.shots), "fits", result.rows[-1].method)
    yield plain(result, [])
