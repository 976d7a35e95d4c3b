"""Tiny checkpoints of each family, made and saved in the hub's formats, loaded through the real code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import BatchNorm2d
from torch.nn.functional import normalize

from workbench import loading
from workbench.errors import WeightsRefused, WorkbenchError
from workbench.loading.torch_backend import TorchBackend
from workbench.preprocessing import normalise, unit_range
from workbench.zeroshot import classify

TEXTS = ["a cat", "a photo of the dog", "rocket"]
TOWER = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}
WORDS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def load(folder: Path) -> TorchBackend:
    return loading.load(f"folder:{folder}", device="cpu", dtype="float32")


def pixels(backend: TorchBackend, photos: Path) -> Tensor:
    return torch.stack([backend.prepare(Image.open(photos / name)) for name in ("chelsea.png", "coffee.png")])


def word_tokenizer(folder: Path, limit: int) -> Any:
    """A tokenizer of whole words that ends each text, as SigLIP's do."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<eos>", "<unk>", *["a", "cat", "photo", "of", "the", "dog", "rocket"]]
    built = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    built.normalizer = normalizers.Lowercase()
    built.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    built.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=built, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", model_max_length=limit
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def stirred(model: Any) -> Any:
    """Random weights that are not small, so that a difference would show."""
    torch.manual_seed(11)
    with torch.no_grad():
        for name, part in model.named_parameters():
            if part.ndim > 0:
                part.normal_(0.02 if "norm" not in name else 1.0, 0.2)
        model.logit_scale.fill_(2.0)
        if hasattr(model, "logit_bias"):
            model.logit_bias.fill_(-3.0)
    return model.eval()


@pytest.fixture
def siglip(tmp_path: Path) -> tuple[Path, Any, Any]:
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    text = {**WORDS, "vocab_size": 16, "max_position_embeddings": 64, "projection_size": 32}
    model = stirred(SiglipModel(SiglipConfig(text_config=text, vision_config=TOWER)))
    model.save_pretrained(tmp_path)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    return tmp_path, model, word_tokenizer(tmp_path, 64)


def test_siglip(siglip: tuple[Path, Any, Any], photos: Path) -> None:
    folder, model, tokenizer = siglip
    backend = load(folder)
    squares = pixels(backend, photos)
    ids = tokenizer(TEXTS, padding="max_length", max_length=64, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        images = model.get_image_features(pixel_values=normalise(unit_range(squares), backend.preprocessing))
        texts = model.get_text_features(input_ids=ids)
        logits = model(pixel_values=(unit_range(squares) - 0.5) / 0.5, input_ids=ids).logits_per_image
    torch.testing.assert_close(backend.encode_pixels(squares), normalize(images.pooler_output, dim=-1))
    torch.testing.assert_close(backend.embed_texts(TEXTS), normalize(texts.pooler_output, dim=-1))
    assert backend.tokenize(TEXTS).ids.shape == (3, 64)  # the last token is read: padding counts
    assert torch.equal(backend.tokenize(TEXTS).ids, ids)
    assert (backend.preprocessing.resize, backend.image_size) == ("squash", 32)
    assert (backend.anatomy.kind, backend.anatomy.grid, backend.anatomy.prefix_tokens) == ("vit", (4, 4), 0)
    ours = backend.encode_pixels(squares) @ backend.embed_texts(TEXTS).T * backend.logit_scale + backend.logit_bias
    torch.testing.assert_close(ours, logits, atol=1e-5, rtol=1e-5)
    assert backend.logit_bias == -3.0
    long = backend.read(["cat " * 70 + "dog"])[0]
    assert (long.tokens, long.limit, long.cut.split()[-1]) == (64, 64, "dog")


def test_siglip_scores_each_label_by_a_sigmoid(siglip: tuple[Path, Any, Any], photos: Path) -> None:
    backend = load(siglip[0])
    answer = classify(backend, [photos / "chelsea.png"], ["cat", "dog"], templates=["{}"])
    assert answer.score == "sigmoid"
    expected = (answer.cosines * backend.logit_scale - 3.0).sigmoid()
    torch.testing.assert_close(answer.probabilities, expected)


def test_siglip_2_with_a_flexible_grid(tmp_path: Path, photos: Path) -> None:
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model

    text = {**WORDS, "vocab_size": 16, "max_position_embeddings": 64, "projection_size": 32}
    vision = {name: value for name, value in TOWER.items() if name != "image_size"} | {"num_patches": 16}
    model = stirred(Siglip2Model(Siglip2Config(text_config=text, vision_config=vision)))
    model.save_pretrained(tmp_path)
    processor = Siglip2ImageProcessor(patch_size=8, max_num_patches=16)
    processor.save_pretrained(tmp_path)
    word_tokenizer(tmp_path, 64)
    backend = load(tmp_path)
    assert backend.image_size == 32
    square = Image.open(photos / "chelsea.png").convert("RGB").resize((32, 32))
    with torch.inference_mode():
        expected = model.get_image_features(**processor(images=square, return_tensors="pt")).pooler_output
    torch.testing.assert_close(backend.embed_images([square]), normalize(expected, dim=-1), atol=1e-5, rtol=1e-4)


def test_a_dual_encoder_with_a_vit(tmp_path: Path, photos: Path, pocket: TorchBackend) -> None:
    from transformers import BertConfig, CLIPImageProcessor, CLIPVisionConfig, VisionTextDualEncoderConfig
    from transformers import VisionTextDualEncoderModel as Model

    words = BertConfig(**WORDS, vocab_size=13600, max_position_embeddings=40)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(CLIPVisionConfig(**TOWER), words, projection_dim=24)
    model = stirred(Model(config))
    model.save_pretrained(tmp_path)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path(str(pocket.spec.folder)) / name, tmp_path)
    backend = load(tmp_path)
    squares = pixels(backend, photos)
    tokens = backend.tokenize(TEXTS)
    with torch.inference_mode():
        images = model.get_image_features(pixel_values=normalise(unit_range(squares), backend.preprocessing))
        texts = model.get_text_features(input_ids=tokens.ids, attention_mask=tokens.mask)
    torch.testing.assert_close(backend.encode_pixels(squares), normalize(images.pooler_output, dim=-1))
    torch.testing.assert_close(backend.embed_texts(TEXTS), normalize(texts.pooler_output, dim=-1))
    assert backend.dim == 24
    assert backend.read(["cat " * 60])[0].limit == 40
    assert (backend.anatomy.kind, backend.anatomy.prefix_tokens, backend.anatomy.grid) == ("vit", 1, (4, 4))
    check_attention(backend, 2, 4, 17)


def check_attention(backend: TorchBackend, layers: int, heads: int, tokens: int) -> None:
    """The same embedding as without looking; rows of attention that sum to one; gradient down to the first block."""
    seen = torch.rand(2, 3, backend.image_size, backend.image_size, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        before = backend.embed_pixels(seen)
    rows, maps = backend.attention(seen)
    torch.testing.assert_close(rows.detach(), before, atol=1e-5, rtol=0)
    assert [tuple(one.shape) for one in maps] == [(2, heads, tokens, tokens)] * layers
    torch.testing.assert_close(maps[0].sum(dim=-1), torch.ones(2, heads, tokens))
    assert float(torch.autograd.grad(rows[:, 0].sum(), maps[0])[0].abs().max()) > 0
    with torch.no_grad():
        assert torch.equal(backend.embed_pixels(seen), before)


def test_siglip_attention(siglip: tuple[Path, Any, Any]) -> None:
    check_attention(load(siglip[0]), 2, 4, 16)


SMALL_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 4, "layers": 2}
MOBILE = {"mean": [0, 0, 0], "std": [1, 1, 1], "interpolation": "bilinear", "resize_mode": "shortest"}


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., tuple[Path, Any]]:
    """Build open_clip's towers from a configuration and save them in its hub format."""

    def save(model_cfg: dict[str, Any], **preprocess: Any) -> tuple[Path, Any]:
        from open_clip.model import CLIP, CustomTextCLIP
        from safetensors.torch import save_file

        settings = {name: value for name, value in model_cfg.items() if name != "custom_text"}
        torch.manual_seed(4)
        model = (CustomTextCLIP if model_cfg.get("custom_text") else CLIP)(**settings).eval()
        for part in model.modules():
            if isinstance(part, BatchNorm2d):  # fresh statistics, 0 and 1, would hide a fold that forgets them
                torch.nn.init.normal_(part.running_mean, std=0.1)
                torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
        folder = tmp_path / "saved"
        folder.mkdir()
        (folder / "open_clip_config.json").write_text(
            json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess})
        )
        save_file(model.state_dict(), folder / "open_clip_model.safetensors")
        return folder, model

    return save


def check_open_clip(backend: TorchBackend, model: Any, photos: Path, ids: Tensor) -> None:
    squares = pixels(backend, photos)
    with torch.inference_mode():
        images = model.encode_image(normalise(unit_range(squares), backend.preprocessing), normalize=True)
        texts = model.encode_text(ids, normalize=True)
    torch.testing.assert_close(backend.encode_pixels(squares), images, atol=1e-5, rtol=0)
    torch.testing.assert_close(backend.embed_texts(TEXTS), texts, atol=1e-5, rtol=0)


def test_mobileclip_keeps_its_own_preprocessing(saved: Callable[..., tuple[Path, Any]], photos: Path) -> None:
    """FastViT with texts that look both ways: padding counts, pictures are neither shifted nor scaled."""
    import open_clip

    vision = {"timm_model_name": "fastvit_mci0", "timm_pool": "avg", "timm_proj": None, "image_size": 256}
    config = {"embed_dim": 48, "vision_cfg": vision, "text_cfg": {**SMALL_TEXT, "no_causal_mask": True}}
    folder, model = saved({**config, "custom_text": True}, **MOBILE)
    backend = load(folder)
    assert (backend.preprocessing.mean, backend.preprocessing.interpolation) == ((0, 0, 0), "bilinear")
    assert backend.tokenize(TEXTS).ids.shape == (3, 77)
    check_open_clip(backend, model, photos, open_clip.tokenize(TEXTS))
    norms = [sum(isinstance(part, BatchNorm2d) for part in one.modules()) for one in (model, backend.towers.module)]
    assert norms[1] < norms[0] / 4  # branches are added up, and the numbers above are still those of the branches
    assert (backend.anatomy.kind, backend.anatomy.grid) == ("convolutional", (8, 8))
    assert list(backend.anatomy.layers)[-1] == "final_conv"
    with pytest.raises(WorkbenchError, match="attention"):
        backend.attention(torch.zeros(1, 3, 256, 256))


def test_timm_s_vit_inside_open_clip(saved: Callable[..., tuple[Path, Any]], photos: Path) -> None:
    import open_clip

    vision = {"timm_model_name": "vit_tiny_patch16_224", "timm_pool": "token", "timm_proj": "linear", "image_size": 224}
    folder, model = saved({"embed_dim": 48, "vision_cfg": vision, "text_cfg": SMALL_TEXT, "custom_text": True})
    backend = load(folder)
    check_open_clip(backend, model, photos, open_clip.tokenize(TEXTS))
    assert (backend.anatomy.kind, backend.anatomy.grid, backend.anatomy.prefix_tokens) == ("vit", (14, 14), 1)
    check_attention(backend, 12, 3, 197)


def test_siglip_inside_open_clip(saved: Callable[..., tuple[Path, Any]], photos: Path) -> None:
    text = {**SMALL_TEXT, "context_length": 64, "vocab_size": 16, "no_causal_mask": True, "pool_type": "last"}
    text |= {"proj_bias": True, "hf_tokenizer_name": "a name that is never asked for"}
    text |= {"tokenizer_kwargs": {"clean": "canonicalize"}}
    vision = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 8}
    config = {"embed_dim": 24, "init_logit_bias": -10, "custom_text": True, "vision_cfg": vision, "text_cfg": text}
    folder, model = saved(config, mean=[0.5] * 3, std=[0.5] * 3, resize_mode="squash")
    tokenizer = word_tokenizer(folder, 64)
    backend = load(folder)
    ids = tokenizer(TEXTS, padding="max_length", max_length=64, return_tensors="pt")["input_ids"]
    check_open_clip(backend, model, photos, ids)
    assert torch.equal(backend.tokenize(["A Cat!", "a photo of the: dog?", "Rocket..."]).ids, ids)
    assert (backend.logit_bias, backend.preprocessing.resize) == (-10.0, "squash")
    assert backend.spec.score == "sigmoid"
    check_attention(backend, 2, 4, 17)


def test_pocket_equals_plain_transformers(pocket: TorchBackend, photos: Path) -> None:
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    folder = pocket.spec.folder
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    names = ("chelsea.png", "coffee.png", "rocket.jpg")
    squares = torch.stack([pocket.prepare(Image.open(photos / name).convert("RGB")) for name in names])
    tokens = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    processor = AutoImageProcessor.from_pretrained(folder)
    seen = processor(images=[Image.open(photos / name).convert("RGB") for name in names], return_tensors="pt")
    with torch.inference_mode():
        images = model.get_image_features(pixel_values=unit_range(squares) * 2 - 1).pooler_output
        texts = model.get_text_features(**tokens).pooler_output
        whole = model.get_image_features(**seen).pooler_output
    torch.testing.assert_close(pocket.encode_pixels(squares), normalize(images, dim=-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(pocket.embed_texts(TEXTS), normalize(texts, dim=-1), atol=1e-5, rtol=0)
    # their image processor resizes by torchvision, up to two levels of 255 away, and cuts half pixels the other way
    ours = pocket.embed_images([photos / name for name in names])
    assert (ours * normalize(whole, dim=-1)).sum(dim=1).min() > 0.98
    grids: list[tuple[int, ...]] = []
    layer = list(pocket.anatomy.layers.values())[-1]
    with layer.register_forward_hook(lambda module, inputs, output: grids.append(tuple(output.shape))):
        pocket.encode_pixels(squares)
    assert grids == [(3, 1280, *pocket.anatomy.grid)]


def test_folding_reaches_every_norm_of_pocket_and_none_elsewhere(pocket: TorchBackend) -> None:
    from torch import nn

    from workbench.loading.folding import quicken

    tower = pocket.towers.module.vision_model
    assert not [part for part in tower.modules() if isinstance(part, nn.BatchNorm2d)]
    stranger = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    quicken(stranger)
    assert isinstance(stranger[1], nn.BatchNorm2d)


# --- what is refused


def _drop(folder: Path, name: str) -> None:
    from safetensors.torch import load_file, save_file

    file = next(folder.glob("*.safetensors"))
    state = load_file(file)
    kept = {key: value for key, value in state.items() if name not in key}
    assert len(kept) < len(state)
    save_file(kept, file, metadata={"format": "pt"})


def _add(folder: Path, name: str) -> None:
    from safetensors.torch import load_file, save_file

    file = next(folder.glob("*.safetensors"))
    save_file({**load_file(file), name: torch.zeros(3)}, file, metadata={"format": "pt"})


def _pickle(folder: Path) -> None:
    from safetensors.torch import load_file

    file = next(folder.glob("*.safetensors"))
    torch.save(load_file(file), folder / "pytorch_model.bin")
    torch.save(load_file(file), folder / "open_clip_pytorch_model.bin")
    file.unlink()


def _edit(folder: Path, name: str, **changes: Any) -> None:
    config = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**config, **changes}))


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a missing tensor": (lambda folder: _drop(folder, "text_model.encoder.layers.1.mlp.fc1.weight"), "lacks"),
    "a tensor too many": (lambda folder: _add(folder, "vision_model.extra"), "has unexpected"),
    "pickled weights": (_pickle, "safetensors"),
    "cut weights": (lambda folder: (folder / "model.safetensors").write_bytes(b"\x10" * 500), "no intact safetensors"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "safetensors"),
    "another family": (lambda folder: _edit(folder, "config.json", model_type="llama"), "llama"),
    "no JSON": (lambda folder: (folder / "preprocessor_config.json").write_text("{"), "cannot be read"),
    "no preprocessing": (lambda folder: (folder / "preprocessor_config.json").unlink(), "processor_config"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json"),
    "a broken tokenizer": (lambda folder: (folder / "tokenizer.json").write_text("{}"), "no tokenizer"),
    "an oblong": (lambda folder: _edit(folder, "preprocessor_config.json", size={"height": 32, "width": 48}), "square"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_refused(siglip: tuple[Path, Any, Any], damage: str) -> None:
    folder = siglip[0]
    spoil, expected = DAMAGE[damage]
    spoil(folder)
    with pytest.raises(WeightsRefused, match=expected) as caught:
        load(folder)
    assert str(folder) not in str(caught.value)


OPEN_DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a missing tensor": (lambda folder: _drop(folder, "visual.ln_post.weight"), "lacks visual.ln_post.weight"),
    "a tensor too many": (lambda folder: _add(folder, "visual.extra"), "has unexpected visual.extra"),
    "another shape": (lambda folder: (_drop(folder, "ln_final.bias"), _add(folder, "ln_final.bias"))[0], "shape"),
    "pickled weights": (_pickle, "safetensors"),
    "cut weights": (lambda folder: (folder / "open_clip_model.safetensors").write_bytes(b"\x10" * 500), "safetensors"),
    "a borrowed text tower": (
        lambda folder: _edit(
            folder, "open_clip_config.json", model_cfg={"embed_dim": 8, "text_cfg": {"hf_model_name": "x"}}
        ),
        "borrows",
    ),
    "an unknown option": (
        lambda folder: _edit(folder, "open_clip_config.json", model_cfg={"embed_dim": 8, "spin": 1}),
        "cannot be built",
    ),
    "padded pictures": (
        lambda folder: _edit(folder, "open_clip_config.json", preprocess_cfg={"resize_mode": "longest"}),
        "longest",
    ),
}


@pytest.mark.parametrize("damage", OPEN_DAMAGE)
def test_a_damaged_open_clip_checkpoint_is_refused(saved: Callable[..., tuple[Path, Any]], damage: str) -> None:
    vision = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 8}
    folder, _ = saved({"embed_dim": 24, "vision_cfg": vision, "text_cfg": SMALL_TEXT})
    spoil, expected = OPEN_DAMAGE[damage]
    spoil(folder)
    with pytest.raises(WeightsRefused, match=expected) as caught:
        load(folder)
    assert str(folder) not in str(caught.value)
