"""Text towers that open_clip borrows from transformers: XLM-RoBERTa, and the encoder of NLLB.

open_clip names them by a repository whose configuration it would download; here it is read from the tensors' shapes.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.errors import WeightsRefused

HEAD = 64  # width of an attention head in every XLM-RoBERTa and NLLB
PLACE = "text.transformer."  # what names of their tensors begin with
CONTEXT = 77  # tokens, unless the configuration says otherwise

Shapes = Mapping[str, tuple[int, ...]]


@contextlib.contextmanager
def with_local_configuration(architecture: dict[str, Any], shapes: Shapes) -> Iterator[dict[str, Any]]:
    """Give an architecture of open_clip whose text tower names a folder, there within the block, not a repository.

    Args:
        architecture: `model_cfg` of open_clip_config.json.
        shapes: tensor name -> shape, of the checkpoint.

    Raises:
        WeightsRefused: another kind of text tower.
    """
    with tempfile.TemporaryDirectory() as folder:
        _configuration(str(architecture["text_cfg"]["hf_model_name"]), shapes).save_pretrained(folder)
        text = {**architecture["text_cfg"], "hf_model_name": folder, "hf_model_pretrained": False}
        yield {**architecture, "text_cfg": text}


def _configuration(name: str, shapes: Shapes) -> Any:
    from transformers import M2M100Config, XLMRobertaConfig

    words, places = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    if PLACE + words in shapes and PLACE + places in shapes:
        vocabulary, width = shapes[PLACE + words]
        return XLMRobertaConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=_layers(shapes, "encoder.layer."),
            num_attention_heads=max(1, width // HEAD),
            intermediate_size=shapes.get(f"{PLACE}encoder.layer.0.intermediate.dense.bias", (0,))[0],
            max_position_embeddings=shapes[PLACE + places][0],
            type_vocab_size=shapes.get(f"{PLACE}embeddings.token_type_embeddings.weight", (1,))[0],
        )
    if f"{PLACE}embed_tokens.weight" in shapes:
        vocabulary, width = shapes[f"{PLACE}embed_tokens.weight"]
        return M2M100Config(
            vocab_size=vocabulary,
            d_model=width,
            encoder_layers=_layers(shapes, "layers."),
            encoder_attention_heads=max(1, width // HEAD),
            encoder_ffn_dim=shapes.get(f"{PLACE}layers.0.fc1.bias", (0,))[0],
            decoder_layers=0,
        )
    raise WeightsRefused(
        "Text towers that open_clip borrows are read here if they are XLM-RoBERTa or NLLB; "
        f"this checkpoint borrows {name[:80]!r}."
    )


def _layers(shapes: Shapes, before: str) -> int:
    start = PLACE + before
    return len({name.removeprefix(start).split(".")[0] for name in shapes if name.startswith(start)})
