"""How much one visitor, one request and one job may ask for: a single table that code, tests and screens read.

Does not know how a limit is enforced. The limits of an image come from `workbench.images`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from workbench.images import MAX_BYTES, MAX_PIXELS


@dataclass(frozen=True)
class Limits:
    """Bytes are decimal, times are seconds."""

    picture_bytes: int = MAX_BYTES  # of one file
    picture_pixels: int = MAX_PIXELS  # width times height after decoding
    pictures: int = 256  # of one batch
    contrast: int = 16  # pictures, and texts, of the contrastive view
    upload_bytes: int = 300_000_000  # of one upload body, and so of one zip
    json_bytes: int = 2_000_000  # of any other body
    json_depth: int = 64  # brackets within brackets
    json_values: int = 100_000  # numbers, words and brackets of one body
    csv_bytes: int = 5_000_000
    labels: int = 256
    label_chars: int = 200
    prompt_chars: int = 1000
    queue: int = 96  # jobs that wait, all visitors together
    queued_per_visitor: int = 24  # jobs that wait, of one address, those that came a moment ago included
    waiting_per_page: int = 8  # jobs that wait for a slot, of one open page: each view that is opened asks its example
    waiting_per_visitor: int = 12  # jobs that wait for a slot, of one address
    listen_seconds: float = 15.0  # a job that nobody listens to is dropped after that time, and never begun
    requests_burst: int = 120  # state-changing requests of one address at once
    requests_per_second: float = 10.0  # ... and in the long run
    requests_open: int = 16  # state-changing requests of one address that are being answered
    reads_open: int = 256  # other requests of one address that are being answered, open streams included
    reads_burst: int = 300  # other requests of one address at once; more are slowed down, not refused
    reads_per_second: float = 60.0  # ... and in the long run
    progress_open: int = 4  # streams of upload progress of one address
    connections: int = 2000  # of all addresses
    connections_per_visitor: int = 256  # of one address
    header_seconds: float = 10.0  # longest time that the head of a request may take
    answer_seconds: float = 120.0  # deadline of one answer: classify, compare, match, templates
    attribution_seconds: float = 300.0  # deadline of one heat map
    batch_seconds: float = 1800.0  # deadline of classifying many images
    video_seconds: float = 1800.0  # deadline of looking for moments of a video
    index_seconds: float = 1800.0  # deadline of adding images to an index
    typographic_seconds: float = 600.0  # deadline of a search for an attack, and of learning a defence
    neurons_seconds: float = 900.0  # deadline of looking at a corpus for a unit's page
    lesson_seconds: float = 900.0  # deadline of training a small CLIP
    race_seconds: float = 1800.0  # deadline of a race of objectives
    generation_seconds: float = 900.0  # deadline of one generated image
    evaluate_seconds: float = 1800.0  # deadline of comparing models on labelled images
    audit_seconds: float = 3600.0  # deadline of one audit of one model
    download_seconds: float = 6 * 3600.0  # deadline of downloading a checkpoint
    idle_seconds: float = 15.0  # longest pause between two pieces of a body
    json_seconds: float = 20.0  # longest time that a body other than an upload may take
    upload_seconds: float = 900.0  # longest time that an upload may take
    quota_bytes: int = 2_000_000_000  # of all uploads on disk together
    quota_per_visitor: int = 600_000_000  # of the uploads of one address within `keep_seconds`
    keep_seconds: int = 3600  # age at which uploads and results are deleted
    sweep_seconds: int = 600  # how often that is looked after
    downloads: bool = True  # visitors may have a checkpoint fetched


LOCAL = Limits()
SPACE = replace(  # anyone may come, and a visitor's share of the GPU is short
    LOCAL,
    pictures=64,
    upload_bytes=100_000_000,
    requests_burst=60,
    requests_per_second=4.0,
    requests_open=8,
    answer_seconds=110.0,
    attribution_seconds=110.0,
    batch_seconds=110.0,
    index_seconds=110.0,
    video_seconds=110.0,
    typographic_seconds=110.0,
    neurons_seconds=110.0,
    lesson_seconds=110.0,
    race_seconds=110.0,
    generation_seconds=110.0,
    evaluate_seconds=110.0,
    audit_seconds=110.0,
    downloads=False,
)


def current() -> Limits:
    """Return the table that holds here: the tighter one in a Hugging Face Space."""
    return SPACE if os.environ.get("SPACE_ID") else LOCAL


def shown(limits: Limits) -> list[tuple[str, str]]:
    """Return the rows that a visitor should know, in words."""
    mb = 1_000_000
    return [
        ("An image", f"PNG, JPEG or WebP; {limits.picture_bytes // mb} MB; {limits.picture_pixels // mb} megapixels"),
        ("Many images", f"{limits.pictures} files or one zip; {limits.upload_bytes // mb} MB together"),
        ("Labels", f"{limits.labels}, each up to {limits.label_chars} characters"),
        ("Prompts", f"{limits.prompt_chars} characters; what a model cannot read is shown as cut off"),
        ("Waiting jobs", f"{limits.waiting_per_page} a page, {limits.waiting_per_visitor} a visitor"),
        ("Time limits", ", ".join(f"{title} {_duration(seconds)}" for title, seconds in _deadlines(limits))),
        ("Uploads", f"deleted after {limits.keep_seconds // 60} minutes"),
    ]


def _deadlines(limits: Limits) -> list[tuple[str, float]]:
    return [
        ("an answer", limits.answer_seconds),
        ("a heat map", limits.attribution_seconds),
        ("many images", limits.batch_seconds),
        ("adding to an index", limits.index_seconds),
        ("moments of a video", limits.video_seconds),
        ("a search for an attack", limits.typographic_seconds),
        ("a unit's page", limits.neurons_seconds),
        ("training a small CLIP", limits.lesson_seconds),
        ("a race of objectives", limits.race_seconds),
        ("a generated image", limits.generation_seconds),
        ("comparing models", limits.evaluate_seconds),
        ("an audit of one model", limits.audit_seconds),
    ]


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds % 60 == 0 else f"{seconds:.0f} s"
