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
        "model-00001-of-00004.safetensors": "01f74e216c5bbdc78ff813086dc83e4edf77431de099d69a4ac914e8f32c1515",
        "model-00002-of-00004.safetensors": "015fcaae185f0365ce96af12fa0b8ce2f99644583c762f2a2ed2b7914c264dbf",
        "model-00003-of-00004.safetensors": "8954e198c60cc1c39e3a9101dd6ca2904977a43801b65d7d89a8f52158e52147",
        "model-00004-of-00004.safetensors": "eea612422949628f7a44da974fb52e97fa3e0cbef9653d6822d82ec4b3375659",
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
        "model-00001-of-00004.safetensors": "2078442504288898869583dbb6d2ca6388f5be3f4349f47ad5adbe143d4240c0",
        "model-00002-of-00004.safetensors": "4912f78386d31e9d63744595b875793e8414677a21736d34703ca1517569482c",
        "model-00003-of-00004.safetensors": "b04e7c0eddb2385d8590d0f3a895d266936b9618d42619630d7d55abff1893df",
        "model-00004-of-00004.safetensors": "9dc6cedfb03a591f3bc80a93856ead12639835533f53954597e4dbb2c638a2f6",
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
