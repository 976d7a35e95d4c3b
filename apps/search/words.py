"""Texts and tables of the search view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apps.shared.markdown import literal
from workbench.retrieval.adding import AddReport
from workbench.retrieval.chance import FEW
from workbench.retrieval.search import Hit, Results

IDLE = "Add images, or try the shipped ones; then type what you look for."
HEADERS = ["image", "score", "beats", "stock sentences as good", "fits", "label", "caption"]
OPTIONAL = ("label", "caption")
EXPLAINED = """
**Score** is the cosine between query and image. Its range differs between models and queries, so read it together with:

- **Beats**: the share of the searched images with a lower score.
- **Stock sentences as good**: of about four hundred sentences about other things, the share that fits this image as
  well as yours. The list ends where an image lies under four standard deviations above what stock sentences reach on
  it; for queries with an image, above what the other images reach. It ends before that where near kinds begin: the name
  of a kind (“golden retriever”) must fit an image better than about 1,650 other names do; another text must reach seven
  tenths of what it reaches on its three best images.

**Queries** take weights and signs between spaces: `2:golden retriever + pool - fruit`. Quotation marks keep a text as
it is.

**Safe mode** hides images that fit one of ten sentences about nudity or violence, by the same cut-off. A model that has
not learned such images recognises none, and some harmless ones may be hidden: with `pocket` 0 of 18 shipped images
(95 % interval 0 to 18.5 %) and 0 of 96 drawings (0 to 3.8 %).

**Hubs** are images that come up for almost everything. The correction (querybank normalisation) ranks them down.
"""


def added(report: AddReport) -> str:
    """Say what adding did."""
    parts = [f"**{report.rows:,}** images in the index: {report.added} new"]
    for number, text in ((report.reused, "known by content"), (report.unchanged, "unchanged")):
        parts += [f"{number} {text}"] if number else []
    line = ", ".join(parts) + "."
    if report.failed:
        reasons = "; ".join(f"{literal(Path(path).name[:60])}: {literal(reason)}" for path, reason in report.failed[:5])
        line += f" {len(report.failed)} failed: {reasons}"
    return line


def unknown_index(name: str) -> str:
    """Say that the index of a link is not offered here."""
    return (
        f"This link searches an index named {literal(name[:64])}, which is not here. Choose another index or add "
        "images, then press “Search”."
    )


def verdict(results: Results, shown: Sequence[Hit], *, query: str, weaker: bool, hidden: int = 0) -> str:
    """Say how many results there are, why the list ends, and how many safe mode hides."""
    safe = f" Safe mode hides {hidden}." if hidden else ""
    if shown and math.isinf(shown[0].deviation):
        return (
            f"**The most similar of {results.rows:,} images.** Under {FEW} images are too few to tell where the list "
            f"should end.{safe}"
        )
    fitting = len(results.likely)
    more = " or more" if fitting == len(results.hits) < results.rows else ""
    text = f"**{fitting}{more} of {results.rows:,} images fit{'s' * (fitting == 1)}** {literal(query)}."
    if not fitting:
        text = f"**No image of {results.rows:,} fits** {literal(query)} better than chance."
    if weaker:
        return f"{text} Shown with weaker ones: {len(shown)}.{safe}"
    folded = fitting - hidden - len(shown)
    return text + (f" {folded} near-duplicates are folded." if folded else "") + safe


def listed(hits: Sequence[Hit], *, names_only: bool) -> dict[str, Any]:
    """Return the results as a table of text; labels and captions only where one has some."""
    rows = [
        [
            shown_name(hit, names_only=names_only),
            f"{hit.score:.3f}",
            f"{100 * hit.beats:.1f} %",
            f"{100 * hit.chance:.1f} %" if hit.chance else "–",
            "yes" if hit.likely else "no",
            hit.row["label"],
            hit.row["caption"],
        ]
        for hit in hits
    ]
    kept = [at for at, name in enumerate(HEADERS) if name not in OPTIONAL or any(row[at] for row in rows)]
    return {"headers": [HEADERS[at] for at in kept], "data": [[row[at] for at in kept] for row in rows]}


def shown_name(hit: Hit, *, names_only: bool) -> str:
    """Return a result's path, or its last part where the folder is the server's business."""
    return hit.path.rsplit("/", 1)[-1] if names_only else hit.path
