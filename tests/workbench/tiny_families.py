"""Seeded small models of each family of the catalogue, saved as their authors save them.

Each builder writes a folder and returns what the library of its authors makes of the same weights: embeddings of
normalised pixels, (n, dim), and of texts, (n, dim), before they are scaled to length 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SIDE = 32
LABELS = ("cat", "猫", "un chat", "gato", "coffee", "rocket")
TEXTS = [f"a photo of a {label}." for label in LABELS]
VISION = {
    **{"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"image_size": SIDE, "patch_size": 8},
}
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
OWN_VISION = {"image_size": SIDE, "layers": 2, "width": 32, "patch_size": 8, "head_width": 8}
OWN_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 4, "layers": 2}
Reference = tuple[Callable[[Tensor], Tensor], Callable[[Sequence[str]], Tensor]]


@dataclass(frozen=True)
class Family:
    """One family, and what is known of it from its papers."""

    build: Callable[[Path], Reference]
    kind: str = "vit"  # of the image tower
    attention: bool = True
    exact: bool = True  # whether each unit's share of an answer is known exactly
    score: str = "softmax"


def _stirred(model: Any) -> Any:
    """Random weights that are not small, so that a difference would show."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, part in model.named_parameters():
            if part.ndim > 0 and part.numel() > 1:
                mean = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
                part.copy_(mean + 0.1 * torch.randn(part.shape, generator=generator))
    return model.eval()


def _tokenizer(folder: Path, limit: int, *, start: bool = False, pad: int = 1) -> Any:
    """Write a tokenizer of words with XLM-RoBERTa's marks; returns transformers' own reader of it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    marks = ["<s>", "<pad>", "</s>", "<unk>"] if pad else ["<pad>", "</s>", "<s>", "<unk>"]
    words = [*marks, "a", "photo", "of", *(f"{label}." for label in LABELS), "un", "chat."]
    words = list(dict.fromkeys(words))
    built = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    built.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ends = [(mark, words.index(mark)) for mark in ("<s>", "</s>")]
    built.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>" if start else "$A </s>", special_tokens=ends
    )
    reader = PreTrainedTokenizerFast(
        tokenizer_object=built, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=limit
    )
    reader.save_pretrained(folder)
    return reader


def _vocabulary(folder: Path) -> None:
    """Write OpenAI's vocabulary, which open_clip carries."""
    from open_clip import SimpleTokenizer

    shipped = SimpleTokenizer()
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    (folder / "vocab.json").write_text(json.dumps({names.get(one, one): at for one, at in shipped.encoder.items()}))
    lines = [" ".join(pair) for pair in shipped.bpe_ranks]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _square(folder: Path, kind: str = "CLIPImageProcessor") -> None:
    import transformers

    sizes = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    sizes = {"size": {"height": SIDE, "width": SIDE}} if kind == "SiglipImageProcessor" else sizes
    getattr(transformers, kind)(**sizes).save_pretrained(folder)


def _of_transformers(model: Any, ids: Callable[[Sequence[str]], dict[str, Tensor]]) -> Reference:
    return (
        lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output,
        lambda texts: model.get_text_features(**ids(texts)).pooler_output,
    )


def clip(folder: Path) -> Reference:
    """TinyCLIP: CLIP's architecture with towers of unlike widths."""
    import open_clip
    from transformers import CLIPConfig, CLIPModel

    text = {**TEXT, "hidden_size": 16, "vocab_size": 49408, "eos_token_id": 49407}
    model = _stirred(CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)))
    model.save_pretrained(folder)
    _square(folder)
    _vocabulary(folder)
    return _of_transformers(model, lambda texts: {"input_ids": open_clip.tokenize(texts)})


def siglip(folder: Path) -> Reference:
    """SigLIP."""
    from transformers import SiglipConfig, SiglipModel

    text = {**TEXT, "vocab_size": 32, "max_position_embeddings": 64, "projection_size": 32}
    model = _stirred(SiglipModel(SiglipConfig(text_config=text, vision_config=VISION)))
    model.save_pretrained(folder)
    _square(folder, "SiglipImageProcessor")
    reader = _tokenizer(folder, 64, pad=0)
    return _of_transformers(
        model, lambda texts: {"input_ids": reader(texts, padding="max_length", return_tensors="pt")["input_ids"]}
    )


def siglip2_naflex(folder: Path) -> Reference:
    """SigLIP 2 with a flexible grid, of which the square one is served."""
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model

    text = {**TEXT, "vocab_size": 32, "max_position_embeddings": 64, "projection_size": 32}
    vision = {name: value for name, value in VISION.items() if name != "image_size"} | {"num_patches": 16}
    model = _stirred(Siglip2Model(Siglip2Config(text_config=text, vision_config=vision)))
    model.save_pretrained(folder)
    Siglip2ImageProcessor(patch_size=8, max_num_patches=16).save_pretrained(folder)
    reader = _tokenizer(folder, 64, pad=0)

    def image(pixels: Tensor) -> Tensor:
        cut = pixels.unfold(2, 8, 8).unfold(3, 8, 8)  # n, 3, rows, columns, 8, 8
        patches = cut.permute(0, 2, 3, 4, 5, 1).reshape(len(pixels), 16, -1)
        mask = torch.ones(len(pixels), 16, dtype=torch.int32)
        shapes = torch.tensor([[4, 4]] * len(pixels))
        found: Tensor = model.get_image_features(
            pixel_values=patches, pixel_attention_mask=mask, spatial_shapes=shapes
        ).pooler_output
        return found

    ids = lambda texts: reader(texts, padding="max_length", return_tensors="pt")["input_ids"]  # noqa: E731
    return image, lambda texts: model.get_text_features(input_ids=ids(texts)).pooler_output


def metaclip_2(folder: Path) -> Reference:
    """MetaCLIP 2: a text tower that looks backwards, over a vocabulary of many languages."""
    from transformers import MetaClip2Config, MetaClip2Model

    text = {**TEXT, "vocab_size": 32, "eos_token_id": 2, "max_position_embeddings": 77}
    model = _stirred(MetaClip2Model(MetaClip2Config(text_config=text, vision_config=VISION, projection_dim=24)))
    model.save_pretrained(folder)
    _square(folder)
    reader = _tokenizer(folder, 77, start=True)
    return _of_transformers(
        model, lambda texts: {"input_ids": reader(texts, padding="max_length", return_tensors="pt")["input_ids"]}
    )


def altclip(folder: Path) -> Reference:
    """AltCLIP: XLM-RoBERTa beside CLIP's image tower."""
    from transformers import AltCLIPConfig, AltCLIPModel

    text = {**TEXT, "vocab_size": 32, "max_position_embeddings": 514, "project_dim": 24, "pad_token_id": 1}
    model = _stirred(AltCLIPModel(AltCLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)))
    model.save_pretrained(folder)
    _square(folder)
    reader = _tokenizer(folder, 512, start=True)
    return _of_transformers(
        model,
        lambda texts: {
            name: rows for name, rows in reader(texts, padding=True, return_tensors="pt").items() if "type" not in name
        },
    )


def chinese_clip(folder: Path) -> Reference:
    """Chinese-CLIP: BERT with a plain list of words and signs."""
    from transformers import BertTokenizer, ChineseCLIPConfig, ChineseCLIPModel

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "photo", "of", "猫", "un", "chat", "gato", "cat", ".", "ro"]
    words += ["##cket", "coffee"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    text = {**TEXT, "vocab_size": 32, "max_position_embeddings": 64, "pad_token_id": 0}
    model = _stirred(ChineseCLIPModel(ChineseCLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)))
    model.save_pretrained(folder)
    _square(folder)
    reader = BertTokenizer(vocab=str(folder / "vocab.txt"))
    return _of_transformers(model, lambda texts: dict(reader(texts, padding=True, return_tensors="pt")))


def _of_open_clip(
    folder: Path, config: dict[str, Any], ids: Callable[[Sequence[str]], Tensor], **more: Any
) -> Reference:
    from open_clip.model import CLIP, CustomTextCLIP
    from safetensors.torch import save_file

    settings = {name: value for name, value in config.items() if name not in ("custom_text", "named")}
    torch.manual_seed(4)
    model = (CustomTextCLIP if config.get("custom_text") else CLIP)(**settings)
    if "fastvit" not in config["vision_cfg"].get("timm_model_name", ""):  # whose many maps would lose all contrast
        model = _stirred(model)
    model.eval()
    if more.get("text_cfg"):  # as it is published: with the name of a repository
        config = {**config, "text_cfg": more.pop("text_cfg")}
        config.pop("custom_text")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": more}))
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return model.encode_image, lambda texts: model.encode_text(ids(texts))


def _small_timm() -> None:
    """Let timm know small towers of the architectures of PE-Core and EVA-02 by names of their own."""
    import timm
    from timm.models import is_model, register_model

    for short, whole in (
        ("seeded_pe", "vit_pe_core_tiny_patch16_384"),
        ("seeded_eva02", "eva02_base_patch16_clip_224"),
    ):
        if is_model(short):
            continue

        def small(pretrained: bool = False, *, whole: str = whole, **more: Any) -> Any:
            sizes = {"img_size": SIDE, "patch_size": 8, "embed_dim": 64, "depth": 2, "num_heads": 4}
            return timm.create_model(whole, **{**more, **sizes})

        small.__name__, small.__module__ = short, "timm.models.eva"
        register_model(small)


def _own(**vision: Any) -> Callable[[Path], Reference]:
    """Build towers whose texts are read with OpenAI's vocabulary."""

    def build(folder: Path) -> Reference:
        import open_clip

        _small_timm()
        more = {"custom_text": True} if "timm_model_name" in vision else {"quick_gelu": True}
        text = {**OWN_TEXT, "no_causal_mask": vision.pop("both", False)}
        config = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text, **more}
        return _of_open_clip(folder, config, open_clip.tokenize, resize_mode="squash")

    return build


def clipa(folder: Path) -> Reference:
    """CLIPA: no class token, and BERT's words, whose mark at the end is taken out again."""
    from open_clip.tokenizer import HFTokenizer
    from transformers import BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "photo", "of", "un", "chat", "gato", "cat", ".", "rocket"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    vision = {**OWN_VISION, "no_ln_pre": True, "pool_type": "avg", "final_ln_after_pool": True}
    text = {**OWN_TEXT, "context_length": 16, "vocab_size": 32, "pool_type": "last", "no_causal_mask": True}
    text |= {"hf_tokenizer_name": "bert-base-uncased", "tokenizer_kwargs": {"strip_sep_token": True}}
    reader = HFTokenizer(str(folder), context_length=16, strip_sep_token=True)
    return _of_open_clip(folder, {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}, reader)


def _borrowing(kind: str, **more: Any) -> Callable[[Path], Reference]:
    """Build towers of open_clip whose text tower is one of transformers."""

    def build(folder: Path) -> Reference:
        import transformers

        reader = _tokenizer(folder, 77, start=True)
        size = {"vocab_size": 32, "pad_token_id": 1}
        if kind == "XLMRobertaConfig":
            size |= {**TEXT, "num_attention_heads": 1, "max_position_embeddings": 90, "type_vocab_size": 1}
        else:
            size |= {"d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 1, "encoder_ffn_dim": 48}
            size |= {"decoder_layers": 1, "decoder_attention_heads": 1, "decoder_ffn_dim": 16}
        local = folder / "local"
        getattr(transformers, kind)(**size).save_pretrained(local)
        pooler = "mean_pooler" if kind == "XLMRobertaConfig" else "cls_pooler"
        text = {"hf_tokenizer_name": "somebody/else", "hf_proj_type": "linear", "hf_pooler_type": pooler}
        published = {**text, "hf_model_name": "somebody/else"}
        built = {**text, "hf_model_name": str(local), "hf_model_pretrained": False}
        config = {"embed_dim": 24, "custom_text": True, "vision_cfg": OWN_VISION, "text_cfg": built, **more}
        ids = lambda texts: reader(texts, padding=True, return_tensors="pt")["input_ids"]  # noqa: E731
        return _of_open_clip(folder, config, ids, text_cfg=published)

    return build


FAMILIES = {
    "SigLIP": Family(siglip, exact=False, score="sigmoid"),
    "SigLIP 2 naflex": Family(siglip2_naflex, exact=False, score="sigmoid"),
    "MetaCLIP 1 and DFN": Family(_own(**OWN_VISION)),
    "MetaCLIP 2": Family(metaclip_2),
    "MobileCLIP": Family(
        _own(timm_model_name="fastvit_mci0", timm_pool="avg", timm_proj=None, image_size=64, both=True),
        kind="convolutional", attention=False, exact=False,
    ),
    "PE-Core": Family(
        _own(timm_model_name="seeded_pe", timm_pool="map", timm_proj=None, image_size=SIDE),
        exact=False,
    ),
    "EVA-02": Family(
        _own(timm_model_name="seeded_eva02", timm_pool="token", timm_proj=None, image_size=SIDE),
        exact=False,
    ),
    "TinyCLIP": Family(clip),
    "CLIPA": Family(clipa, exact=False),
    "NLLB-CLIP": Family(_borrowing("M2M100Config")),
    "NLLB-SigLIP": Family(_borrowing("M2M100Config", init_logit_bias=-10), score="sigmoid"),
    "XLM-RoBERTa CLIP": Family(_borrowing("XLMRobertaConfig")),
    "AltCLIP": Family(altclip),
    "Chinese-CLIP": Family(chinese_clip),
}  # fmt: skip
