"""Texts, tables and settings of the race view."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

from workbench.errors import BadInput
from workbench.progress import Progress
from workbench.training.race import RaceResult, RaceSettings, Runner, RunnerCurve, dial, watched
from workbench.training.race.export import ratio_text
from workbench.training.shapes import COLOURS, SHAPES

QUESTIONS = [
    ("Objectives: caption, masked word, bag of words, contrast", "objectives"),
    ("Batch size: the number of negatives", "batch"),
    ("Temperature: learned or fixed", "temperature"),
    ("Learning rate: cosine decay or none", "decay"),
]
LEAD = (
    "Why contrastive? Equal image towers learn the same images and captions from different objectives. Figure 2 of the "
    "CLIP paper, in miniature."
)
IDLE = "Press “Start”. The preset takes about a minute and a half on two processor cores."
RESULT_HEADERS = ["runner", "accuracy (range over seeds)", "images needed, × the first"]
ANSWER_HEADERS = ["drawing"]
EXPLAINED = """
**The data.** Drawings of 48 pairs of shape and colour, each with a caption like those on the web: synonyms,
properties left out, and words that the image does not show (“img042 by anna a big scarlet star lima 2”). Predicting
such words exactly is hard; telling which caption belongs to which image is not.

**The objectives.** *Caption* predicts each word from those before it (VirTex). *Masked word* predicts one hidden word
from all others (ICMLM). *Bag of words* predicts which words occur (Joulin et al. 2016). *Contrast* finds the caption
of each image among those of the batch (ConVIRT, CLIP), with a softmax or with a sigmoid for each pair (SigLIP).

**The test.** Which of the 48 pairs does a new image show? Contrast compares cosines. The others have no joint space,
so each label scores the likelihood of its sentence. Chance is 2 %.

**The paper** (Radford et al. 2021, section 2.3 and figure 2, on ImageNet): predicting bags of words learned three
times as fast as captions, contrast another four times. The miniature is small and short, so its ratios need not be
those; the verdict sets them beside each other.

**The dials.** CLIP was trained with batches of 32,768, a learned temperature (its multiplier at most 100) and cosine
decay (section 2.5). The paper does not say what each of them is worth.
"""
PAPER = {"bag-of-words": 4, "caption": 12}  # images needed, × contrast: Radford et al. 2021, figure 2
_LABELS = [f"{colour} {shape}" for shape in SHAPES for colour in COLOURS]


def read_settings(
    question: str, runners: Sequence[str], *, images: float, seeds: float, seed: float | None
) -> RaceSettings:
    """Turn the form into settings.

    Raises:
        BadInput: no runner, or a number that is out of bounds or not whole.
    """
    for name, value in (("Images", images), ("Seeds", seeds), ("The random seed", seed)):
        if value is None or not math.isfinite(value) or value != int(value):
            raise BadInput(f"{name} must be a whole number; got {value}.")
    if question == "objectives" and not runners:
        raise BadInput("Choose at least one objective.")
    settings = RaceSettings(
        tuple(Runner(key) for key in runners) or (Runner(),), images=int(images), seeds=int(seeds), seed=int(seed or 0)
    )
    return settings if question == "objectives" else dial(question, settings)


def status(curves: Sequence[RunnerCurve], settings: RaceSettings, seconds: float) -> str:
    """Say how far the race is after so many seconds, and how long it still takes."""
    done, total = sum(len(curve.accuracy) for curve in curves), settings.points * settings.seeds * len(settings.runners)
    return Progress.timed(done, total, "measurements", seconds=seconds, computed=done).line + "."


def verdict(results: Sequence[RaceResult], settings: RaceSettings) -> str:
    """Say the order, and whether it is that of the paper where both were run."""
    order = sorted(results, key=lambda result: -result.accuracy[-1])
    places = ", ".join(f"{_short(result.runner)} {100 * result.accuracy[-1]:.0f} %" for result in order)
    first, last = settings.seed, settings.seed + settings.seeds - 1
    seeds = f"Seed {first}" if first == last else f"Seeds {first} to {last}"
    lines = [f"**After {results[0].images[-1]:,} images:** {places}. {seeds}."]
    final = {result.runner.objective: result for result in results if result.runner == Runner(result.runner.objective)}
    expected = [final[key] for key in ("contrast", "bag-of-words", "caption") if key in final]
    if len(expected) > 1:
        pairs = list(itertools.pairwise(expected))
        if any(one.accuracy[-1] < other.accuracy[-1] for one, other in pairs):
            lines.append("This is not the order of the paper (contrast, bag of words, captions).")
        elif all(one.lowest[-1] > other.highest[-1] for one, other in pairs):
            lines.append("The order is that of the paper, and the bands do not overlap.")
        else:
            lines.append("The order is that of the paper, but bands overlap: more seeds or images would tell.")
    return " ".join([*lines, *_beside_the_paper(results)])


def _beside_the_paper(results: Sequence[RaceResult]) -> list[str]:
    """Compare the images needed with the paper's, where contrast was the first runner."""
    if results[0].runner != Runner():
        return []
    beside = []
    for result in results:
        paper = PAPER.get(result.runner.objective)
        if paper is None or result.ratio is None:
            continue
        low, high = result.ratio.low, result.ratio.high
        agrees = None if low is None or high is None else low <= paper <= high
        judged = {None: "no interval", True: "the interval holds it", False: "**the miniature disagrees**"}[agrees]
        beside.append(f"{_short(result.runner)} {ratio_text(result)}; the paper: {paper}; {judged}")
    return [f"Images needed, × contrast: {'. '.join(beside)}."] if beside else []


def _short(runner: Runner) -> str:
    """The runner's name without the models that learned this way."""
    return re.sub(r" \(.*?\)", "", runner.name)


def result_rows(results: Sequence[RaceResult]) -> list[list[str]]:
    """Return one row a runner: accuracy with its range over seeds, images needed relative to the first runner."""
    return [
        [
            _short(result.runner),
            f"{100 * result.accuracy[-1]:.1f} % ({100 * result.lowest[-1]:.1f} to {100 * result.highest[-1]:.1f})",
            ratio_text(result),
        ]
        for result in results
    ]


def answer_headers(curves: Sequence[RunnerCurve]) -> list[str]:
    """Return the columns of the table of answers."""
    return ["drawing", *dict.fromkeys(_short(curve.runner) for curve in curves)]


def answer_rows(curves: Sequence[RunnerCurve]) -> list[list[str]]:
    """Return what each runner's last seed answers on the twelve drawings; right ones are ticked."""
    last = {curve.runner: curve for curve in curves}
    rows = []
    for at, drawing in enumerate(watched()):
        truth = f"{drawing.colour} {drawing.shape}"
        given = [_LABELS[curve.answers[at]] for curve in last.values()]
        rows.append([truth, *(f"✓ {answer}" if answer == truth else answer for answer in given)])
    return rows
