"""The catalogue of checkpoints, as data: one row a model, each value from the source named in the row.

Knows nothing of loading. `sha256` stays empty until a first download; from then on the recorded hash is enforced.
"""

from __future__ import annotations

from pathlib import Path

from workbench.models import ModelSpec

POCKET = ModelSpec(
    key="pocket",
    title="Pocket (shipped)",
    library="transformers",
    folder=Path(__file__).parent / "weights" / "pocket",
    licence="MIT (parts: Apache-2.0)",
    paper=None,
    trained_on="about a thousand kinds of things, emoji and rendered words",
    parameters=14_522_881,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=256,
    note="A small model made for this workbench; no stand-in for claims about OpenAI's CLIP.",
)

CHECKPOINTS: tuple[ModelSpec, ...] = (POCKET,)
