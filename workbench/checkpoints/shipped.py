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
        "model-00001-of-00004.safetensors": "49798937fab30212691ef034826d87fbdedf0f1008d9abf4162f51afc62f477a",
        "model-00002-of-00004.safetensors": "49a1a8061da081068a0ae05acd6c1b9c672f77a78af72085992e93ea74dcc09f",
        "model-00003-of-00004.safetensors": "9dddac82fd95157b131b7b6336fb3e09254533a94ab77daf226930d63af2eafb",
        "model-00004-of-00004.safetensors": "bfbfd227060c75ab0ce63f87e65d1fe5f04ae01438c786e74d1f55987665b0a0",
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
    note="Not shipped. Judges images that were made or attacked with pocket, which were not optimised against it.",
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
