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
    parameters=14_428_673,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=384,
    sha256={
        "model-00001-of-00004.safetensors": "1f4310ff456b1684a90ed7e886634efb709a2f658be3c791cbd21c3ca09d8f11",
        "model-00002-of-00004.safetensors": "0d58c4cd46e3299ffab494b1d8813d49b8fa7cdf1c06497f450fa568b140b460",
        "model-00003-of-00004.safetensors": "a8ff0e01cecda1d6e2f5bfb2313c6e9da89daa34b9265b29034cf98f4404f962",
        "model-00004-of-00004.safetensors": "0f03e7efd6adce96d44c79203ce25403aa8bf867df35de170f60de647811d306",
    },
    note="A small model made for this workbench; no stand-in for claims about OpenAI's CLIP.",
)

POCKET_LITE2 = ModelSpec(
    key="pocket-lite2",
    title="Pocket, second opinion (made here)",
    loader="transformers",
    made_with="clip-workbench train --recipe pocket --from lite2 --seed 1 --data PHOTOS",
    licence="MIT (parts: Apache-2.0)",
    trained_on="what pocket was trained on, with another image tower and another seed",
    parameters=15_868_737,
    image_size=224,
    context_length=77,
    dim=384,
    note="Not shipped. It judges pictures that were made or attacked with pocket: it was not optimised against.",
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
