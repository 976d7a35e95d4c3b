"""OpenAI's CLIP: the towers that the published numbers are about.

Sources: Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision (sizes);
the model card of openai/CLIP (licence, data); the repositories named in the rows (revisions, bytes).
Where a repository's bytes are not published, they are the length of the safetensors file that its architecture makes:
tensors and header. For the files whose length is published, that sum is right to the byte.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.checkpoints.spec import ModelSpec

PAPER = "arXiv:2103.00020"
TRAINED_ON = "400 million image-text pairs from the internet, never published (WebImageText)"
BORROWED = (
    "OpenAI's own values, from timm's repository: the head of {} holds pickled weights, which are not opened here."
)

_BASE = ModelSpec(
    key="",
    title="",
    loader="open_clip",
    licence="MIT",
    paper=PAPER,
    trained_on=TRAINED_ON,
    context_length=77,
    image_size=224,
)

TRANSFORMERS = (
    replace(
        _BASE,
        key="openai/clip-vit-base-patch32",
        title="OpenAI CLIP ViT-B/32",
        loader="transformers",
        repo="openai/clip-vit-base-patch32",
        revision="c237dc49a33fc61debc9276459120b7eac67e7ef",
        parameters=151_277_313,
        download_bytes=605_157_884,
        dim=512,
        note="The head of the repository holds pickled weights only; this commit of a pull request adds safetensors.",
    ),
    replace(
        _BASE,
        key="openai/clip-vit-base-patch16",
        title="OpenAI CLIP ViT-B/16",
        repo="timm/vit_base_patch16_clip_224.openai",
        revision="977e3dd0ec55ab8da155f2fbeb6b5f54948b6e3d",
        architecture="ViT-B-16-quickgelu",
        parameters=149_620_737,
        download_bytes=598_516_980,
        dim=512,
        note=BORROWED.format("openai/clip-vit-base-patch16"),
    ),
    replace(
        _BASE,
        key="openai/clip-vit-large-patch14",
        title="OpenAI CLIP ViT-L/14",
        loader="transformers",
        repo="openai/clip-vit-large-patch14",
        revision="32bd64288804d66eefd0ccbe215aa642df71cc41",
        parameters=427_616_513,
        download_bytes=1_710_540_580,
        dim=768,
    ),
    replace(
        _BASE,
        key="openai/clip-vit-large-patch14-336",
        title="OpenAI CLIP ViT-L/14 at 336 pixels",
        repo="timm/vit_large_patch14_clip_336.openai",
        revision="81e38efc4637de5023b10e75a7f9bd1c6fa6b010",
        architecture="ViT-L-14-336-quickgelu",
        parameters=427_944_193,
        download_bytes=1_711_828_444,
        image_size=336,
        dim=768,
        note=BORROWED.format("openai/clip-vit-large-patch14-336"),
    ),
)

RESNETS = (
    replace(
        _BASE,
        key="open_clip:RN50/openai",
        title="OpenAI CLIP RN50",
        repo="timm/resnet50_clip.openai",
        revision="ec3d92cf63a5f9d591f0d611b736895966c73076",
        architecture="RN50-quickgelu",
        parameters=102_007_137,
        download_bytes=408_291_932,
        dim=1024,
    ),
    replace(
        _BASE,
        key="open_clip:RN101/openai",
        title="OpenAI CLIP RN101",
        repo="timm/resnet101_clip.openai",
        revision="c7338ce",
        architecture="RN101-quickgelu",
        parameters=119_688_033,
        download_bytes=479_255_396,
        dim=512,
    ),
    replace(
        _BASE,
        key="open_clip:RN50x4/openai",
        title="OpenAI CLIP RN50x4",
        repo="timm/resnet50x4_clip.openai",
        revision="b4f04ca",
        architecture="RN50x4-quickgelu",
        parameters=178_300_601,
        download_bytes=713_709_900,
        image_size=288,
        dim=640,
        note="The model whose multimodal neurons were published (Goh et al., Distill 2021).",
    ),
    replace(
        _BASE,
        key="open_clip:RN50x16/openai",
        title="OpenAI CLIP RN50x16",
        repo="timm/resnet50x16_clip.openai",
        revision="8fe1f69",
        architecture="RN50x16-quickgelu",
        parameters=290_979_217,
        download_bytes=1_164_786_548,
        image_size=384,
        dim=768,
    ),
)
