"""The catalogue: its rows are well-formed, agree with the architectures, and unknown names are refused at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from workbench.checkpoints import checkpoints
from workbench.checkpoints.spec import ModelSpec
from workbench.errors import BadInput, UnknownName
from workbench.loading import listing
from workbench.models import find

DOWNLOADS = [row for row in checkpoints() if row.repo]
OPEN_CLIP_NAMES = {  # what the transformers rows are called in open_clip
    "openai/clip-vit-base-patch32": "ViT-B-32-quickgelu",
    "openai/clip-vit-large-patch14": "ViT-L-14-quickgelu",
    "google/siglip-base-patch16-224": "ViT-B-16-SigLIP",
    "google/siglip2-base-patch16-224": "ViT-B-16-SigLIP2",
    "facebook/metaclip-2-worldwide-huge-quickgelu": "ViT-H-14-worldwide-quickgelu",
}
BORROWED = {  # what the text towers that open_clip borrows are, from the cards of the repositories that it names
    "xlm-roberta-base-ViT-B-32": (
        "XLMRobertaConfig",
        {"vocab_size": 250002, "max_position_embeddings": 514, "type_vocab_size": 1},
    ),
    "nllb-clip-base-siglip": (
        "M2M100Config",
        {
            "vocab_size": 256206,
            "d_model": 1024,
            "encoder_attention_heads": 16,
            "encoder_ffn_dim": 4096,
            "decoder_layers": 0,
        },
    ),
}
CLIP_B, CLIP_L = {"patch_size": 16}, {"hidden_size": 1024, "intermediate_size": 4096, "patch_size": 14}
OTHER_LIBRARIES = {  # key -> class in transformers, text tower, image tower, width of the joint space
    "google/siglip2-base-patch16-naflex": ("Siglip2", {"vocab_size": 256000}, {"num_patches": 256}, 768),
    "facebook/metaclip-2-mt5-worldwide-b32": ("MetaClip2", {"vocab_size": 250_000}, {"patch_size": 32}, 512),
    "wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M": (
        "CLIP",
        {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 3, "num_attention_heads": 4},
        {
            "hidden_size": 256,
            "intermediate_size": 1024,
            "num_hidden_layers": 10,
            "num_attention_heads": 4,
            "patch_size": 16,
        },
        512,
    ),
    "BAAI/AltCLIP": ("AltCLIP", {}, {**CLIP_L, "num_hidden_layers": 24, "num_attention_heads": 16}, 768),
    "OFA-Sys/chinese-clip-vit-base-patch16": ("ChineseCLIP", {"vocab_size": 21128}, CLIP_B, 512),
}


def test_keys_are_distinct_and_the_promised_ones_are_there() -> None:
    keys = [row.key for row in checkpoints()]
    assert len(keys) == len(set(keys))
    promised = {"pocket", "fake", *(f"openai/clip-vit-{name}" for name in ("base-patch32", "base-patch16"))}
    promised |= {"openai/clip-vit-large-patch14", "openai/clip-vit-large-patch14-336"}
    promised |= {f"open_clip:{name}/openai" for name in ("RN50", "RN101", "RN50x4", "RN50x16")}
    assert promised <= set(keys)
    message = " ".join(row.title for row in checkpoints())
    for family in (
        "LAION-2B ViT-B/32",
        "LAION-2B ViT-H/14",
        "DataComp",
        "MetaCLIP",
        "SigLIP",
        "SigLIP 2",
        "MobileCLIP",
    ):
        assert family in message


@pytest.mark.parametrize("row", DOWNLOADS, ids=lambda row: row.key)
def test_a_row_names_its_source_and_guesses_no_hash(row: ModelSpec) -> None:
    known = re.fullmatch(r"[0-9a-f]{7}|[0-9a-f]{40}", row.revision or "")
    assert known or (row.revision is None and "No commit with safetensors is known" in row.note)
    assert re.fullmatch(r"arXiv:\d{4}\.\d{5}", row.paper or "")
    assert row.licence
    assert row.trained_on
    assert row.sha256 == {}  # recorded at the first download
    assert (row.architecture is not None) == (row.loader == "open_clip")
    assert None not in (row.parameters, row.download_bytes, row.image_size, row.context_length, row.dim)
    assert row.score == ("sigmoid" if "siglip" in row.key else "softmax")


@pytest.mark.parametrize("row", DOWNLOADS, ids=lambda row: row.key)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.heavy
def test_a_row_agrees_with_its_architecture(row: ModelSpec, tmp_path: Path) -> None:
    import open_clip
    import torch
    import transformers
    from open_clip.model import CLIP, CustomTextCLIP

    if row.key in OTHER_LIBRARIES:
        model: Any = _of_transformers(row)
    else:
        config: dict[str, Any] = dict(open_clip.get_model_config(row.architecture or OPEN_CLIP_NAMES[row.key]))
        if row.architecture in BORROWED:
            kind, sizes = BORROWED[row.architecture]
            getattr(transformers, kind)(**sizes).save_pretrained(tmp_path)
            local = {"hf_model_name": str(tmp_path), "hf_model_pretrained": False}
            config |= {"custom_text": True, "text_cfg": config["text_cfg"] | local}
        whole = CustomTextCLIP if config.pop("custom_text", False) else CLIP
        with torch.device("meta"):
            model = whole(**config)
        assert row.dim == config["embed_dim"]
        assert row.image_size == config["vision_cfg"]["image_size"]
        assert row.context_length == config["text_cfg"].get("context_length", 77)
        assert (row.score == "sigmoid") == ("init_logit_bias" in config)
    assert row.parameters == sum(parameter.numel() for parameter in model.parameters())
    tensors = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    assert row.download_bytes is not None
    assert 0 < row.download_bytes - tensors < 250_000  # the header of a safetensors file


def _of_transformers(row: ModelSpec) -> Any:
    import torch
    import transformers

    name, text, image, dim = OTHER_LIBRARIES[row.key]
    widths = {} if name == "Siglip2" else {"projection_dim": dim}
    config = getattr(transformers, f"{name}Config")(text_config=text, vision_config=image, **widths)
    with torch.device("meta"):
        model = getattr(transformers, f"{name}Model")(config)
    assert row.dim == getattr(config, "projection_dim", config.text_config.hidden_size)
    return model


def test_an_unknown_model_is_refused_at_once_and_without_torch() -> None:
    code = (
        "import time, sys; from workbench.loading import load; start = time.perf_counter()\n"
        "try: load('pokcet')\n"
        "except Exception as error: print(type(error).__name__, str(error)[:60], time.perf_counter() - start)\n"
        "print('torch' in sys.modules)"
    )
    message = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert message[0].startswith("UnknownName No model is called 'pokcet'. Did you mean 'pocket'")
    assert float(message[0].split()[-1]) < 0.1
    assert message[1] == "False"


def test_the_shipped_model_answers_without_torchvision_and_torchs_compiler() -> None:
    """Importing torchvision imports torch's compiler, which takes as long as all else until the first answer."""
    code = (
        "import sys; from PIL import Image; from workbench.loading import load; model = load('pocket', device='cpu')\n"
        "model.embed_images([Image.new('RGB', (300, 200))]), model.embed_texts(['a cat'])\n"
        "print([name for name in ('torchvision', 'torch._dynamo', 'pandas', 'sklearn') if name in sys.modules])"
    )
    message = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert message == "[]\n"


@pytest.mark.parametrize("key", ["", "nope", "~nobody-here/x", "a\0b", "x" * 5000, "folder", "../../etc/passwd"])
def test_names_that_are_no_model_are_refused(key: str) -> None:
    start = time.perf_counter()
    with pytest.raises((UnknownName, BadInput)):
        find(key)
    assert time.perf_counter() - start < 0.1


def test_a_local_folder_is_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(BadInput, match="'mine' holds none of them"):
        find(f"folder:{folder}")
    (folder / "config.json").write_text(json.dumps({"model_type": "siglip"}))
    row = find(str(folder))
    assert (row.title, row.loader, row.score, row.folder) == ("mine", "transformers", "sigmoid", folder)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"embed_dim": 4}}))
    row = find(f"folder:{folder}")
    assert (row.loader, row.score) == ("open_clip", "softmax")
    assert find(row.key) == row
    assert row.trained_on is None
    (folder / "open_clip_config.json").write_text("{")
    with pytest.raises(BadInput, match=r"open_clip_config\.json"):
        find(row.key)


def test_the_listing_is_plain_json_with_none_for_what_is_not_known() -> None:
    rows = json.loads(json.dumps(listing.rows()))
    assert [row["key"] for row in rows] == [row.key for row in checkpoints()]
    by_key = {row["key"]: row for row in rows}
    assert by_key["pocket"]["here"] is True
    assert by_key["pocket"]["disk_bytes"] > 20_000_000
    assert by_key["fake"]["where"] == "shipped"
    assert by_key["pocket"]["paper"] is None
    assert not any("folder" in row for row in rows)
