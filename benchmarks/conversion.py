"""OpenAI's and open_clip's ViT tensors under transformers' names, saved as a folder in the hub's format."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

PLAIN = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "logit_scale": "logit_scale",
}
NORMS = {
    "visual.ln_pre": "vision_model.pre_layrnorm",  # transformers' own spelling
    "visual.ln_post": "vision_model.post_layernorm",
    "ln_final": "text_model.final_layer_norm",
}
BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
MERGES = 49152 - 256 - 2  # of CLIP's byte-pair vocabulary


def save_transformers(state: dict[str, Tensor], folder: Path) -> None:
    """Save ViT-B/32 tensors as a transformers `CLIPModel` folder with tokenizer and preprocessing."""
    from transformers import CLIPConfig, CLIPModel

    tokens = {"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407}
    model = CLIPModel(CLIPConfig(text_config=tokens, vision_config={}, projection_dim=512))
    missing = model.load_state_dict(_renamed(state), strict=False).missing_keys
    if any("position_ids" not in name for name in missing):
        raise RuntimeError(f"tensors that were not renamed: {missing}")
    model.save_pretrained(folder)
    save_tokenizer(folder)


def save_tokenizer(folder: Path) -> None:
    """Save CLIP's tokenizer and image processor, made from the vocabulary that open_clip carries."""
    import open_clip
    from transformers import CLIPImageProcessorPil, CLIPTokenizer

    packed = Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.decompress(packed.read_bytes()).decode().split("\n")[1 : MERGES + 1]
    words = dict(open_clip.SimpleTokenizer().encoder)  # open_clip spells the two marks otherwise
    words["<|startoftext|>"], words["<|endoftext|>"] = words.pop("<start_of_text>"), words.pop("<end_of_text>")
    pairs: Any = [tuple(line.split()) for line in merges]  # what the class takes, beside what its hints say
    CLIPTokenizer(vocab=words, merges=pairs, model_max_length=77).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    out = {new: state[old] for old, new in PLAIN.items()}
    out["visual_projection.weight"] = state["visual.proj"].T
    out["text_projection.weight"] = state["text_projection"].T
    for old, new in NORMS.items():
        out |= {f"{new}.{part}": state[f"{old}.{part}"] for part in ("weight", "bias")}
    for old, new in (("visual.transformer", "vision_model"), ("transformer", "text_model")):
        out |= _renamed_blocks(state, f"{old}.resblocks.", f"{new}.encoder.layers.")
    return out


def _renamed_blocks(state: dict[str, Tensor], old: str, new: str) -> dict[str, Tensor]:
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        if not name.startswith(old):
            continue
        block, rest = name.removeprefix(old).split(".", 1)
        part = rest.rsplit(".", 1)[-1]
        if rest.startswith("attn.in_proj"):  # query, key and value in one tensor
            kind = rest.removeprefix("attn.in_proj_")
            for projection, piece in zip("qkv", value.chunk(3), strict=True):
                out[f"{new}{block}.self_attn.{projection}_proj.{kind}"] = piece
        else:
            out[f"{new}{block}.{BLOCK[rest.rsplit('.', 1)[0]]}.{part}"] = value
    return out
