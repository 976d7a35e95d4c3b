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
        "model-00001-of-00004.safetensors": "9169bdbf4d00942e6d29592dcd9e100a81ffb6fc6d126269f321263131cc01b5",
        "model-00002-of-00004.safetensors": "34a56ce56bd8c5d82c2559cd5e6e3621de0a314c7d3c54806cf3d1bb2195acf4",
        "model-00003-of-00004.safetensors": "0c9029afb6eaa49ab3816750cec4b7f72528a7a508204614c61183c6fe83d0b5",
        "model-00004-of-00004.safetensors": "593c0f9a2c07f893cf0ac9f1e48725f01b4ac5f8bdf2d2911fe92d514c0d5b37",
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
        "model-00004-of-00004.safetensors": "1af89fa2d24a7a09fb5643e489976e78c01a5aa1d2828a568c762a8607b4412b",
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
