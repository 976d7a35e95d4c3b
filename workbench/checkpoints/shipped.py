"""What comes with the workbench: the small real model, and the one without weights."""

from __future__ import annotations

from pathlib import Path

from workbench.models import ModelSpec

POCKET = ModelSpec(
    key="pocket",
    title="Pocket (shipped)",
    loader="transformers",
    folder=Path(__file__).parents[1] / "weights" / "pocket",
    licence="MIT (parts: Apache-2.0)",
    trained_on="about a thousand kinds of things, emoji and rendered words",
    parameters=14_522_881,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=256,
    sha256={
        "model-00001-of-00004.safetensors": "85106036d35b7aa41fd4361f3a19108721fab3e52d8d6bfff67c503bd3956bc0",
        "model-00002-of-00004.safetensors": "7161a15f73bfd8aee1ea54e903fb52a47a3ce4e7628bb4ad292178ddb678f390",
        "model-00003-of-00004.safetensors": "70fcb77f3c293ec9bfe71e334d2b42dc5e8415516812dd96afc06f760c329034",
        "model-00004-of-00004.safetensors": "5d73a449464a02802e7fad71759a0d6c86887fbc22d622970971a57d29b11e12",
    },
    note="A small model made for this workbench; no stand-in for claims about OpenAI's CLIP.",
)

FAKE = ModelSpec(
    key="fake",
    title="Fake (no weights)",
    loader="fake",
    licence="MIT",
    trained_on="nothing: it sees only colours, and carries planted faults of known size",
    parameters=0,
    download_bytes=0,
    image_size=80,
    context_length=16,
    dim=32,
    note="For tests, and to show that an audit finds what is there. Its answers mean nothing.",
)
