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
    trained_on="about a thousand kinds of things, emoji, rendered words and captioned photos",
    parameters=14_428_673,
    download_bytes=0,
    image_size=224,
    context_length=77,
    dim=384,
    sha256={
        "model-00001-of-00004.safetensors": "865c7581e481b01daf23d458f9632227d5928d31ae0c0f6bce980a3b32e44fa0",
        "model-00002-of-00004.safetensors": "b146a8d42b777971e76e561413f3065a6f057f0158868cc8769aaf02338270c8",
        "model-00003-of-00004.safetensors": "7a8cc7d74a019fdb063f215316eb7184886fc393febd2d75654a3ef8a561e7bb",
        "model-00004-of-00004.safetensors": "0fa3a7e3064a23b3dddfd0169075aa2525ee91dff2c292f983b4ec72bf093ec6",
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
        "model-00002-of-00004.safetensors": "3b5b56fd243df20e58520eaa80a62f3567568cadd18883333259c51387643dc5",
        "model-00003-of-00004.safetensors": "c8f096c90179492d0034aa7e2c4ff5a952997445d70b9f57323dcdc43ce3d160",
        "model-00004-of-00004.safetensors": "c5ff63ce6fcc4880abbb97c187fe3c9f376ae4d3d5d39b06c246aa0b7ce79142",
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
