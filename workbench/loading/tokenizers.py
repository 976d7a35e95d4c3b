"""From texts to the numbers that a text tower reads: cleaned, tokenized, cut visibly, padded as the model was trained.

Vocabularies are read from a folder, with the `tokenizers` library.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tokenizers
import torch

from workbench.backend import Reading, Tokens
from workbench.errors import WeightsRefused
from workbench.text import clean

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_START, _END = "<|startoftext|>", "<|endoftext|>"
# OpenAI's splitting: contractions (a long s too: its pattern ignores case), letters, single digits, anything else
_WORDS = rf"{re.escape(_START)}|{re.escape(_END)}|'[sſ]|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+"
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def clip_tokenizer(vocabulary: dict[str, int], merges: Sequence[tuple[str, str]]) -> Tokenizer:
    """Build OpenAI's byte pair encoding; texts must come cleaned and in lower case.

    The normaliser that transformers adds (composition of accents, its own lower case) is left out on purpose:
    OpenAI's tokenizer has none, and ids would differ for a final sigma or an accent that stands alone.

    Source:
        openai/CLIP, simple_tokenizer.py.
    """
    from tokenizers import models, pre_tokenizers, processors

    renamed = {"<start_of_text>": _START, "<end_of_text>": _END}  # open_clip's names for the same two
    vocabulary = {renamed.get(token, token): number for token, number in vocabulary.items()}
    model = models.BPE(vocab=vocabulary, merges=list(merges), end_of_word_suffix="</w>", unk_token=_END)
    built = tokenizers.Tokenizer(model)
    built.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    built.add_special_tokens([_START, _END])
    built.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}", special_tokens=[(_START, vocabulary[_START]), (_END, vocabulary[_END])]
    )
    return built


def clip_from_folder(folder: Path) -> Tokenizer:
    """Read CLIP's vocabulary from `tokenizer.json`, or from `vocab.json` and `merges.txt`.

    Raises:
        WeightsRefused: neither is there, or they hold another kind of tokenizer.
    """
    if (folder / "tokenizer.json").is_file():
        model = read_json(folder, "tokenizer.json")["model"]
        vocabulary, lines = model.get("vocab"), model.get("merges")
    else:
        vocabulary = read_json(folder, "vocab.json")
        lines = _read_text(folder, "merges.txt").split("\n")
        lines = [line for line in lines if line.strip() and not line.startswith("#version")]
    if not isinstance(vocabulary, dict) or not lines or _START not in vocabulary or _END not in vocabulary:
        raise WeightsRefused(f"The folder {folder.name!r} holds no CLIP vocabulary (byte pairs with {_END}).")
    merges = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in lines]
    return clip_tokenizer(vocabulary, [(pair[0], pair[1]) for pair in merges])


def bert_from_folder(folder: Path) -> Tokenizer:
    """Read BERT's word pieces from `tokenizer.json`, or from `vocab.txt`: in lower case, each Chinese sign by itself.

    Raises:
        WeightsRefused: neither is there, or they hold no word pieces.
    """
    if (folder / "tokenizer.json").is_file():
        return from_folder(folder)
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

    words = _read_text(folder, "vocab.txt").splitlines()
    vocabulary = {word: number for number, word in enumerate(words)}
    missing = [mark for mark in ("[CLS]", "[SEP]", "[PAD]", "[UNK]") if mark not in vocabulary]
    if missing:
        raise WeightsRefused(f"The vocabulary of {folder.name!r} lacks {', '.join(missing)}, so it is not BERT's.")
    built = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    built.normalizer = normalizers.BertNormalizer(lowercase=True)
    built.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    built.decoder = decoders.WordPiece()
    built.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(mark, vocabulary[mark]) for mark in ("[CLS]", "[SEP]")]
    )
    return built


def from_folder(folder: Path) -> Tokenizer:
    """Read `tokenizer.json` as it stands, without the cutting and padding it may ask for.

    Raises:
        WeightsRefused: the file is missing or damaged.
    """
    text = _read_text(folder, "tokenizer.json")
    read: Tokenizer | None = None
    with suppress(Exception):  # the library has no class of its own for a file that it cannot read
        read = tokenizers.Tokenizer.from_str(text)
    if read is None:
        raise WeightsRefused(f"The file tokenizer.json of {folder.name!r} is no tokenizer.")
    read.no_truncation()
    read.no_padding()
    return read


def reader(
    tokenizer: Tokenizer, *, limit: int, pad_id: int, fold: Callable[[str], str] = str, whole: bool = False
) -> Callable[[Sequence[str]], Tokens]:
    """Return the function that turns texts into `Tokens`.

    Args:
        tokenizer: adds one token at the end of every text.
        limit: the model's context length.
        pad_id: fills up shorter texts.
        fold: what the model asks for after cleaning, such as lower case.
        whole: every text is filled up to the limit and its padding counts, as in SigLIP, which reads the last token.
    """

    def tokenize(texts: Sequence[str]) -> Tokens:
        cleaned = [fold(clean(text)) for text in texts]
        encoded = tokenizer.encode_batch(cleaned)
        rows = [one.ids if len(one.ids) <= limit else [*one.ids[: limit - 1], one.ids[-1]] for one in encoded]
        readings = tuple(
            Reading(text, len(row), limit, text[one.offsets[limit - 1][0] :] if len(one.ids) > limit else "")
            for text, row, one in zip(cleaned, rows, encoded, strict=True)
        )
        length = limit if whole else max(map(len, rows))
        ids = torch.tensor([row + [pad_id] * (length - len(row)) for row in rows], dtype=torch.int64)
        counts = torch.tensor([length if whole else len(row) for row in rows])
        return Tokens(ids, (torch.arange(length) < counts[:, None]).long(), readings)

    return tokenize


def without(read: Callable[[Sequence[str]], Tokens], token: int | None) -> Callable[[Sequence[str]], Tokens]:
    """Return a reader that puts 0 in a token's place, as CLIPA does with BERT's mark at the end of a text."""

    def tokenize(texts: Sequence[str]) -> Tokens:
        tokens = read(texts)
        return replace(tokens, ids=tokens.ids.masked_fill(tokens.ids == (-1 if token is None else token), 0))

    return tokenize


def canonical(text: str) -> str:
    """Lower case without ASCII punctuation, as SigLIP's texts were in training.

    Source:
        google-research/big_vision, `canonicalize_text`.
    """
    return " ".join(text.replace("_", " ").translate(_NO_PUNCTUATION).lower().split())


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read a JSON object from a model folder.

    Raises:
        WeightsRefused: the file is missing or is no JSON object.
    """
    try:
        content = json.loads(_read_text(folder, name))
    except json.JSONDecodeError as error:
        raise WeightsRefused(f"The file {name} of {folder.name!r} is no JSON ({error}).") from None
    if not isinstance(content, dict):
        raise WeightsRefused(f"The file {name} of {folder.name!r} holds no JSON object.")
    return content


def padding_id(folder: Path, tokenizer: Tokenizer) -> int:
    """Look up the token that fills shorter texts up, as `tokenizer_config.json` names it.

    Raises:
        WeightsRefused: none is named, or it is not in the vocabulary.
    """
    named = read_json(folder, "tokenizer_config.json").get("pad_token")
    pad_id = tokenizer.token_to_id(str(named["content"] if isinstance(named, dict) else named))
    if pad_id is None:
        raise WeightsRefused(f"The tokenizer of {folder.name!r} names no padding token that it knows.")
    return int(pad_id)


def _read_text(folder: Path, name: str) -> str:
    """Read a text file from a model folder.

    Raises:
        WeightsRefused: the file is missing or is no UTF-8.
    """
    try:
        return (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WeightsRefused(f"The model folder {folder.name!r} lacks the file {name}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsRefused(f"The file {name} of {folder.name!r} cannot be read ({type(error).__name__}).") from None
