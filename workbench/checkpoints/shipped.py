"""What comes with the workbench: the small real model, and the one without weights."""

from __future__ import annotations

from pathlib import Path

from workbench.models import ModelSpec

POCKET = ModelSpec(
    key="pocket",
    title="Pocket (shipped)",
    library="transformers",
    folder=Path(__file__).parents[1] / "weights" / "pocket",
    licence="MIT (parts: Apache-2.0)",
    trained_on="about a thousand kinds of things, emoji and rendered words",
    parameters=14_428_673,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=384,
    sha256={
        "model-00001-of-00004.safetensors": "0b0e34fd0a7dbcb83c8b8dcf9af4a3955baa3a066d6228d42e58b44c30621465",
        "model-00002-of-00004.safetensors": "ac1519b4a6cb6158a83b396608d91255a2d387001220c83b911323c98d3e1a4b",
        "model-00003-of-00004.safetensors": "91a65a5fc251139aab3f2bc01ca7f3a8b2b7976427b01be800512f3c81872907",
        "model-00004-of-00004.safetensors": "16a41341d1b74fc7353930d410fd50ac135a6196aefda1d0677e9ff2940aca64",
    },
    note="A small model made for this workbench; no stand-in for claims about OpenAI's CLIP.",
)

FAKE = ModelSpec(
    key="fake",
    title="Fake (no weights)",
    library="fake",
    licence="MIT",
    trained_on="nothing: it sees only colours, and carries planted faults of known size",
    parameters=0,
    download_bytes=0,
    image_size=80,
    context_length=16,
    dim=32,
    note="For tests, and to show that an audit finds what is there. Its answers mean nothing.",
)
