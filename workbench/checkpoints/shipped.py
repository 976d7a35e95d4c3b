"""What comes with the workbench: the small real model, and the one without weights."""

from __future__ import annotations

from workbench.checkpoints.spec import ModelSpec
from workbench.places import shipped

POCKET = ModelSpec(
    key="pocket",
    title="Pocket (shipped)",
    loader="transformers",
    image_tower="EfficientNet-Lite0",
    folder=shipped("pocket"),
    licence="MIT (parts: Apache-2.0)",
    trained_on="about a thousand kinds of things, emoji and rendered words",
    parameters=14_428_673,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=384,
    sha256={
        "model-00001-of-00004.safetensors": "865c7581e481b01daf23d458f9632227d5928d31ae0c0f6bce980a3b32e44fa0",
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
    image_tower="EfficientNet-Lite2",
    folder=shipped("pocket-lite2"),
    licence="MIT (parts: Apache-2.0)",
    trained_on="what pocket was trained on, with another image tower and another seed",
    parameters=15_868_737,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=384,
    sha256={
        "model-00001-of-00004.safetensors": "52b17a2433aafcd81f5e3de14f2c58e74e9239c137aa26f5f1195f20273451b0",
        "model-00002-of-00004.safetensors": "b7922a1b0ca1adb4753e7a0398478f0721db816dfad6e40a9e4107b933606569",
        "model-00003-of-00004.safetensors": "69ef989f0df66a39691b7db68b86ce3662c5e96993d19609aedd8e44da1d1adb",
        "model-00004-of-00004.safetensors": "e21cac9e347c4560d6598c1e92e91ebde1aed6ccbe23dc060b74f3e7e77ab469",
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
