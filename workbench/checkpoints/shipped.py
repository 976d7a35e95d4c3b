"""What comes with the workbench: the small real model, and the one without weights."""

from __future__ import annotations

from pathlib import Path

from workbench.checkpoints.spec import ModelSpec

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
        "model-00001-of-00004.safetensors": "04d547b41acde84359a9c5c79c140cca255c3b9cc854493e04bb3fd88c1feb14",
        "model-00002-of-00004.safetensors": "c08ea0886a28ebfeffe0162324f444667c1dc2d3eb4131df150139bc2a8ad21f",
        "model-00003-of-00004.safetensors": "4f9429d1dd8c7924b29460cc37bd784492974a763aa6d4aaa73dda9722db0378",
        "model-00004-of-00004.safetensors": "4bf0538cb3ab5966d27412c46f0dac651a134a6d176a9872a2b2bd827553e525",
    },
    note="A small model made for this workbench; no stand-in for claims about OpenAI's CLIP.",
)

POCKET_LITE2 = ModelSpec(
    key="pocket-lite2",
    title="Pocket Lite2 (shipped)",
    loader="transformers",
    folder=Path(__file__).parents[1] / "weights" / "pocket-lite2",
    licence="MIT (parts: Apache-2.0)",
    trained_on="what pocket was trained on, with another image tower and another seed",
    parameters=15_868_737,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=384,
    sha256={
        "model-00001-of-00004.safetensors": "f9688ae40e98cf1004219bab7c0e97a815dc383ad85f3d9dc741b55d7171b4c2",
        "model-00002-of-00004.safetensors": "e5d20d009f89b0ff0daa886d22ce18927819cdd1205c8352858005c5474adfaa",
        "model-00003-of-00004.safetensors": "148133ac4192d5236496d2aad6b91b93e0f54e9d7a58d7e382c9d3cd538a513a",
        "model-00004-of-00004.safetensors": "01a0f6c3276ef7c96aaecf3c3e0a090a019530e73cab786b59bb22af71d4ab80",
    },
    note="A second small model: it judges what was made or attacked with pocket, and was not optimised against.",
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
