"""Probable label errors of the images that were evaluated: a gallery, a decision for each, and an export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from apps.shared.events import CHOICE, LIGHT, LONG, handler, owner
from apps.shared.jobs import Jobs, wire
from apps.shared.markdown import literal
from apps.shared.page import Page
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.widgets import COLLAPSED, table
from workbench.errors import BadInput
from workbench.places import write_whole
from workbench.probes.duplicates import Duplicate, duplicates, thumbnails
from workbench.probes.label_errors import Suspect, named, out_of_sample
from workbench.probes.label_errors import suspects as find
from workbench.probes.labelled import TEST, LabelledImages
from workbench.probes.table import EmbeddedImages
from workbench.scheduler import CancelToken

SHOWN = 60  # images in the gallery
SIDE = 224  # pixels of one
KEEP, FIX, SKIP = "keep", "fix", "skip"
HEADERS = ["path", "given", "suggested", "probability", "decision"]
IDLE = "Evaluate first; then look for labels that the images contradict."
EXPLAINED = (
    "Each image is judged by a probe that never saw it (five folds). Suspects are those whose given label is less "
    "likely than the class allows (confident learning, Northcutt et al. 2021). Look before you decide."
)
JOBS = Jobs("evaluate")


@dataclass(frozen=True)
class SuspectList:
    """Suspects of one set of images, with what was decided."""

    images: LabelledImages
    suspects: tuple[Suspect, ...]
    twice: tuple[Duplicate, ...]
    decisions: Mapping[int, str]  # place in `suspects` -> keep, fix or skip

    def rows(self) -> list[list[str]]:
        """Return one row a suspect: path, given, suggested, probability, decision."""
        paths = [sample.name for sample in self.images.samples]
        return [
            [one.path, one.given, one.suggested, f"{100 * one.probability:.1f} %", self.decisions.get(place, "")]
            for place, one in enumerate(named(self.suspects, paths, self.images.classes))
        ]

    def leaks(self) -> list[Duplicate]:
        """Return the pairs of which one image is for testing and the other is not."""
        test = self.images.rows(TEST)
        return [pair for pair in self.twice if test[pair.first] != test[pair.second]]


def search(known: EmbeddedImages, model: str) -> SuspectList:
    """Look for suspects and duplicates by one model's features.

    Raises:
        BadInput: a class with one image.
    """
    made, images = known.made[model], known.images
    probabilities, _ = out_of_sample(made.features, images.y, seed=images.seed)
    rows = made.embeddings if made.embeddings.shape[1] else made.features
    lengths = (rows**2).sum(axis=1, keepdims=True) ** 0.5
    twice = duplicates(rows / lengths.clip(1e-12), thumbnails(images.samples))
    return SuspectList(images, tuple(find(probabilities, images.y)), tuple(twice), {})


def summary(listed: SuspectList) -> str:
    """Say how many labels are suspect and how many images stand twice, as Markdown."""
    n = len(listed.images.samples)
    text = f"**{len(listed.suspects)} of {n}** labels are suspect, the likeliest error first."
    if not listed.twice:
        return text + " No image stands twice."
    text += f" {len(listed.twice)} pairs of images are the same or nearly"
    leaks = listed.leaks()
    if not leaks:
        return text + ", none of them across train and test."
    names = [listed.images.samples[number].name for pair in leaks[:3] for number in (pair.first, pair.second)]
    pairs = "; ".join(f"{literal(a)} and {literal(b)}" for a, b in zip(names[::2], names[1::2], strict=True))
    return text + f"; **{len(leaks)} join train and test**: {pairs}{' …' if len(leaks) > 3 else ''}."


def as_csv(listed: SuspectList) -> bytes:
    """Return all suspects with the label that the decision leaves: the suggested one where it is to be fixed."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow([*HEADERS, "label"])
    for row in listed.rows():
        out.writerow([*row, {FIX: row[2], SKIP: ""}.get(row[4], row[1])])
    return text.getvalue().encode()


def build(page: Page, known: gr.State) -> None:
    """Lay out the part, in a tab below the table."""
    with gr.Tab("Probable label errors", elem_id="suspects", render_children=True):
        gr.Markdown(EXPLAINED, elem_classes="notes")
        with gr.Row():
            go = gr.Button("Find label errors", variant="primary", elem_id="suspects-go")
            stop = gr.Button("Stop", variant="stop")
        status = gr.Markdown(IDLE, elem_classes="live", elem_id="suspects-status")
        with gr.Column(visible=False) as deciding:
            gallery = gr.Gallery(
                label="Suspects", columns=6, height=300, object_fit="contain", elem_id="suspects-gallery"
            )
            chosen = gr.Dropdown(
                [], label="Suspect", info="Given label, then the suggested one.", elem_id="suspects-chosen"
            )
            with gr.Row():
                buttons = [gr.Button(text, elem_id=f"suspects-{key}") for text, key in (
                    ("Keep the label", KEEP), ("Fix: take the suggested one", FIX), ("Skip: leave the image out", SKIP)
                )]  # fmt: skip
        results = table(HEADERS, "Suspects", elem_id="suspects-table", visible=COLLAPSED)
        download = gr.DownloadButton("Export CSV", visible=False, elem_id="suspects-csv")
    listed = gr.State(None)

    def steps(embedded: EmbeddedImages | None, visitor: str, token: CancelToken) -> Iterator[dict[Any, Any]]:
        if embedded is None or not embedded.made:
            raise BadInput(IDLE)
        yield {status: "Looking for label errors …"}
        result = search(embedded, next(iter(embedded.made)))
        yield {
            status: summary(result),
            deciding: gr.update(visible=bool(result.suspects)),
            gallery: _pictures(result),
            chosen: gr.update(choices=_choices(result), value=0 if result.suspects else None),
            **_lists(result, results, download),
            listed: result,
        }

    @handler
    def run(typed: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        visitor = owner(request)
        work = JOBS.run(visitor, lambda token: steps(typed[known], visitor, token), stopped={status: JOBS.stopped})
        yield from work

    event = {
        "fn": run, "inputs": {known}, "outputs": [status, deciding, gallery, chosen, results, download, listed],
        "api_visibility": "private", "show_progress": "hidden", **LONG,
    }  # fmt: skip
    wire(JOBS, go, stop, status=status, event=event)
    gallery.select(_selected, None, chosen, **CHOICE)
    for button, decision in zip(buttons, (KEEP, FIX, SKIP), strict=True):
        button.click(_decider(decision), [listed, chosen], [results, download, chosen, listed], **LIGHT)


def _decider(decision: str) -> Any:
    @handler
    def decide(listed: SuspectList | None, place: int | None) -> tuple[Any, ...]:
        if listed is None or place is None:
            raise BadInput("Choose a suspect first.")
        rest = {**listed.decisions, int(place): decision}
        after = SuspectList(listed.images, listed.suspects, listed.twice, rest)
        following = min(int(place) + 1, len(after.suspects) - 1)
        shown = gr.update(choices=_choices(after), value=following)
        return gr.update(value=after.rows()), gr.update(value=str(_file(after))), shown, after

    return decide


def _selected(event: gr.SelectData) -> int:
    return int(event.index)


def _choices(listed: SuspectList) -> list[tuple[str, int]]:
    return [
        (f"{place + 1}. {path}: {given} → {suggested}{f' ({decision})' if decision else ''}", place)
        for place, (path, given, suggested, _, decision) in enumerate(listed.rows()[:SHOWN])
    ]


def _pictures(listed: SuspectList) -> list[tuple[Any, str]]:
    pictures = []
    for place, one in enumerate(listed.suspects[:SHOWN]):
        picture = listed.images.samples[one.number].open()
        picture.thumbnail((SIDE, SIDE))
        row = listed.rows()[place]
        pictures.append((picture, f"{place + 1}. {row[1]} → {row[2]} ({row[3]})"))
    return pictures


def _lists(listed: SuspectList, results: Any, download: Any) -> dict[Any, Any]:
    return {
        results: gr.update(value=listed.rows(), visible=True),
        download: gr.update(value=str(_file(listed)), visible=True),
    }


def _file(listed: SuspectList) -> Path:
    path: Path = folder_beside_uploads("suspects-") / "suspects.csv"
    write_whole(path, as_csv(listed))
    return path
