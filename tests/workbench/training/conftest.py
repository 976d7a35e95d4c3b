"""Tiny models of three families and a folder of drawings, so that whole trainings take a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from workbench.training.recipe import Recipe
from workbench.training.shapes import draw

WIDE = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
SEES = {**WIDE, "image_size": 16, "patch_size": 8}
WORDS = ("a", "photo", "of", "small", "large", "red", "green", "blue", "circle", "square", "star", ".")


def words(folder: Path, *, limit: int) -> None:
    """Save a tokenizer of whole words, as SigLIP's and BERT's folders have one."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    built = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(("<pad>", "<eos>", "<unk>", *WORDS))}, unk_token="<unk>")
    )
    built.normalizer = normalizers.Lowercase()
    built.pre_tokenizer = pre_tokenizers.Whitespace()
    built.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=built, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", model_max_length=limit
    ).save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dual encoder with dropout in its text tower, in the hub's format."""
    from transformers import BertConfig, CLIPImageProcessor, CLIPVisionConfig, VisionTextDualEncoderConfig
    from transformers import VisionTextDualEncoderModel as Model

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(1)
    text = BertConfig(**WIDE, vocab_size=len(WORDS) + 3, max_position_embeddings=16, hidden_dropout_prob=0.2)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(CLIPVisionConfig(**SEES), text, projection_dim=8)
    Model(config).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}).save_pretrained(folder)
    words(folder, limit=16)
    return folder


@pytest.fixture(scope="session")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sigmoid model in the hub's format."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    folder = tmp_path_factory.mktemp("siglip")
    torch.manual_seed(2)
    text = {**WIDE, "vocab_size": len(WORDS) + 3, "max_position_embeddings": 16, "projection_size": 16}
    SiglipModel(SiglipConfig(text_config=text, vision_config=SEES)).save_pretrained(folder)
    SiglipImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)
    words(folder, limit=16)
    return folder


@pytest.fixture(scope="session")
def openclip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet with batch norm in open_clip's hub format."""
    import json

    from open_clip.model import CLIP
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("openclip")
    torch.manual_seed(3)
    architecture: dict[str, Any] = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    model = CLIP(**architecture)
    save_file(
        {name: one.clone().contiguous() for name, one in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": architecture, "preprocess_cfg": {}}))
    return folder


@pytest.fixture(scope="session")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty drawings with their sentences beside them."""
    folder = tmp_path_factory.mktemp("drawings")
    for number, one in enumerate(draw(40, seed=5)):
        one.render(24).save(folder / f"{number:02}.png")
        (folder / f"{number:02}.txt").write_text(one.caption)
    return folder


@pytest.fixture
def recipe(tiny: Path, drawings: Path) -> Recipe:
    """Six steps with everything that could differ after a pause: dropout, crops, a warm-up, a check."""
    settings = {"path": str(drawings), "validation": 8, "crop": 0.6}
    return Recipe.model_validate(
        {"from": str(tiny), "data": settings, "steps": 6, "batch": 8, "rate": 1e-3, "warmup": 2, "check_every": 3}
    )
