"""Cleaning, refusing and cutting texts, and the tokens that OpenAI's own tokenizer would give for them."""

# ruff: noqa: E501 - the lists of strings are easier to read in long lines
from __future__ import annotations

import json
import unicodedata
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.backend import Tokens
from workbench.errors import BadInput
from workbench.loading import hf, openclip, tokenizers
from workbench.loading.torch_backend import TorchBackend
from workbench.text import MAX_TEXT, check_texts, clean

END = 49407
PLAIN = [
    "a photo of a cat.", "A PHOTO OF A CAT", "it's we're they've I'm she'll he'd can't IT'S WE'RE",
    "12345 67.89 1,000,000 ½ Ⅷ ²", "tab\tnew\nline\r\nend", "  lead and trail  ", "a-b_c/d\\e|f", "...", "!?!?", "'", "''s",
    "don’t ‘quote’ “double”", "#hashtag @name $5 50% a&b", "<b>bold</b>", "C++ & C#", "e.g. i.e. U.S.A.", "x", "'s", "s'",
    "<|startoftext|>", "<|endoftext|>", "a <|endoftext|> b", "<|ENDOFTEXT|>", "<start_of_text>", "[CLS] [SEP]", "</s>", "</w>",
    "ALLCAPS mixedCase camelCaseWord", "snake_case_word", "http://example.org/a?b=c&d=e", "name@example.org", "1st 2nd 3rd",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "supercalifragilisticexpialidocious", "qwrtpsdfgh zxcvbnm", "0x1F 1e-5 3.14159",
]  # fmt: skip
EMOJI = [
    "😀", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "❤️", "☕ coffee", "cat 🐈 dog 🐕", "1️⃣2️⃣", "🤷🏻‍♀️ shrug", "♥♦♣♠", "→←↑↓", "©®™", "😀😀😀😀",
    "a photo of 🍕.", "👩🏿‍🚀 in space", "🫠🫥🫶", "🧑‍🦽", "☺︎ text style", "⌨️🖥️",
]  # fmt: skip
SCRIPTS = [
    "Crème brûlée", "naïve façade", "Zürich Straße", "ŁÓDŹ źdźbło", "İstanbul ISPARTA ığdır", "ΟΔΥΣΣΕΥΣ Σίσυφος", "Ελλάδα",
    "Привет, мир", "Ёлка ёж", "猫", "写真の猫です", "カタカナ ﾊﾝｶｸ", "안녕하세요", "你好，世界！", "שלום עולם", "مرحبا بالعالم", "हिन्दी में",
    "ภาษาไทย", "ქართული", "Հայերեն", "አማርኛ", "Tiếng Việt", "ﬁ ﬂ ﬃ ligatures", "ǅ Ǆ ǆ", "ŉ ẞ ß", "Ångström Å Å", "µ μ Ω Ω",
    "e\u0301 combining", "n\u0303o\u0308", "Z̸̢̛a̷l̵g̶o̴", "ᴬᴮᶜ ₁₂₃", "𝐛𝐨𝐥𝐝 𝕕𝕠𝕦𝕓𝕝𝕖", "ＦＵＬＬ　ＷＩＤＴＨ", "ꜱᴍᴀʟʟ", "ⅳ Ⅳ", "٣٤٥ ๑๒๓", "Ꭰ ꭰ", "ſ 'ſ long",
]  # fmt: skip
ENTITIES = [
    "&amp;", "&amp;amp;", "&amp;amp;amp;", "&lt;b&gt;", "&quot;x&quot;", "&#39;s", "&#x27;ll", "caf&eacute;", "&nbsp;a&nbsp;b",
    "&hearts;", "&#128512;", "&notanentity;", "&", "a & b", "&amp;lt;", "&copy 2020", "&#0;", "&#xD800;", "&#x110000;", "e&#x301;",
    "&ouml;&uuml;&szlig;", "&ldquo;q&rdquo;", "&mdash; dash", "&#8203;zero", "&#9;tab", "&#10;line", "&#133; &#150;", "&AMP;", "&sup2;",
    "&Sigma;&sigma;&sigmaf;", "&#931;&#931;", "O&Sigma;", "a < b &amp;lt; c", "x > y < &amp;amp;lt;",
]  # fmt: skip
MOJIBAKE = [
    "schÃ¶n", "cafÃ©", "donâ€™t", "â€œquoteâ€\x9d", "Ã¼ber", "naÃ¯ve", "l\u2019Ã©tÃ©", "ðŸ˜€", "â™¥", "Â£5", "Â©", "EspaÃ±a", "FranÃ§ais",
    "Ð\x9fÑ€Ð¸Ð²ÐµÑ‚", "ç\x8c«", "Ãƒ\xa9", "â€“ â€”", "â€¦", "ï»¿bom", "Ã",
]  # fmt: skip
CONTROL = [
    "a\x00b", "\x01\x02x", "a\x07bell", "a\x08b", "x\x1b[31mred\x1b[0m", "a\x7fb", "a\x85b", "a\x9fb", "\ufeffbom", "a\u200bb", "a\u200cb",
    "a\u200db", "a\u200eb\u200f", "a\u2028b", "a\u2029b", "a\u202eb", "a\u2060b", "a\xadb", "a\xa0b", "a\u3000b", "a\u1680b", "\u2003em",
    "a\ufffdb", "a\ufe0fb", "\ud83d\ude00", "lone \ud800 half", "a\x1cb\x1db\x1eb\x1fc", "a\x0bb\x0cc", "\ue000 private", "\U000e0041 tag",
    "a\ufff9b", "\U0010ffff",
]  # fmt: skip
LONG = [
    " ".join(f"word{number}" for number in range(100)), "cat " * 100, "猫" * 90, "😀" * 60, "a" * 900, "! " * 90, "12" * 60,
    " ".join(["antidisestablishmentarianism"] * 30), "cat " * 74 + "dog", "cat " * 75, "cat " * 75 + "dog", "cat " * 76,
    "é" * 200, "a&amp;b " * 60, "<|endoftext|> " * 80, "x." * 45, "the end 🏁 " * 25,
]  # fmt: skip
TEMPLATES = [f"a photo of a {thing}." for thing in ("red car", "T-shirt", "café", "猫", "🐈", "5-year-old's toy")]
AWKWARD = [*PLAIN, *EMOJI, *SCRIPTS, *ENTITIES, *MOJIBAKE, *CONTROL, *LONG, *TEMPLATES]


def until_end(row: list[int]) -> list[int]:
    """Ids through the last end-of-text token, without what fills the row up."""
    last = max(place for place, number in enumerate(row) if number == END)
    return row[: last + 1]


@pytest.fixture(scope="module")
def paths(vocabulary: Path) -> dict[str, Any]:
    """The tokenizers of both loading rooms, as `load_folder` makes them."""

    class Model:
        context_length, text_pool_type, attn_mask = 77, "argmax", torch.zeros(77, 77)

    return {
        "transformers": hf._clip_tokenizer(vocabulary, {"text_config": {}}),
        "open_clip": openclip._tokenizer(vocabulary, {"text_cfg": {}}, Model()),
    }


@pytest.mark.parametrize("path", ["transformers", "open_clip"])
def test_tokens_equal_openai(openai: Any, paths: dict[str, Any], path: str) -> None:
    assert len(set(AWKWARD)) >= 200
    expected = openai.clip.tokenize(AWKWARD, truncate=True)
    tokens: Tokens = paths[path](AWKWARD)
    assert tokens.ids.shape == tokens.mask.shape == (len(AWKWARD), 77)
    wrong = []
    for text, theirs, ours, reading in zip(
        AWKWARD, expected.tolist(), tokens.ids.tolist(), tokens.readings, strict=True
    ):
        if until_end(theirs) != ours[: reading.tokens]:
            wrong.append((text, until_end(theirs), ours[: reading.tokens]))
    assert not wrong


@settings(max_examples=300, deadline=None)
# U+0345 is a mark whose case fold is a letter: OpenAI's pattern ignores case, so there alone it counts as one.
@given(st.text(st.characters(exclude_categories=["Cn"]), max_size=60))
def test_tokens_equal_openai_for_any_text(openai: Any, paths: dict[str, Any], text: str) -> None:
    assume("\u0345" not in clean(text))
    # Mending mojibake can make an unassigned code point out of assigned ones; whether it is a letter differs by Unicode edition.
    assume(not any(unicodedata.category(letter) == "Cn" for letter in clean(text)))
    theirs = until_end(openai.clip.tokenize([text], truncate=True)[0].tolist())
    for tokenize in paths.values():
        assert tokenize([text]).ids[0].tolist() == theirs


def test_a_vocabulary_in_one_file_is_the_same(vocabulary: Path, tmp_path: Path) -> None:
    """The hub holds `tokenizer.json` beside or instead of the two older files."""
    from transformers import CLIPTokenizer

    merges = (vocabulary / "merges.txt").read_text().split("\n")[1:-1]
    pairs = [tuple(line.split(" ")) for line in merges]
    CLIPTokenizer(json.loads((vocabulary / "vocab.json").read_text()), pairs).save_pretrained(tmp_path)
    assert not (tmp_path / "vocab.json").exists()
    one = hf._clip_tokenizer(tmp_path, {"text_config": {}})(AWKWARD)
    two = hf._clip_tokenizer(vocabulary, {"text_config": {}})(AWKWARD)
    assert torch.equal(one.ids, two.ids)


@pytest.mark.parametrize("path", ["transformers", "open_clip"])
def test_what_is_cut_is_said(paths: dict[str, Any], path: str) -> None:
    text = "cat " * 75 + "dog, and a very long tail"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        short, long, just = paths[path](["a cat", text, "cat " * 75]).readings
    assert (short.tokens, short.limit, short.cut, short.note) == (4, 77, "", "")
    assert (long.tokens, long.cut) == (77, "dog, and a very long tail")
    assert "dog" in long.note
    assert (just.tokens, just.cut) == (77, "")


def test_ids_are_trimmed_to_the_longest(paths: dict[str, Any]) -> None:
    tokens = paths["transformers"](["cat", "a photo of a cat"])
    assert tokens.ids.shape == tokens.mask.shape == (2, 7)
    assert tokens.mask.sum(dim=1).tolist() == [3, 7]
    assert tokens.ids.dtype == tokens.mask.dtype == torch.int64


def test_pocket_reads_as_plain_transformers(pocket: TorchBackend) -> None:
    from transformers import AutoTokenizer

    plain = AutoTokenizer.from_pretrained(pocket.spec.folder)
    texts = [text for text in AWKWARD if clean(text)]
    tokens = pocket.tokenize(texts)
    expected = plain([clean(text) for text in texts], truncation=True, max_length=77, padding=True, return_tensors="pt")
    assert torch.equal(tokens.ids, expected["input_ids"])
    assert torch.equal(tokens.mask, expected["attention_mask"])
    reading = pocket.read(["cat " * 75 + "dog and tail"])[0]
    assert (reading.tokens, reading.limit, reading.cut) == (77, 77, "dog and tail")


def test_texts_of_any_length_meet_in_one_call(pocket: TorchBackend) -> None:
    """Sorting by length inside must not show: rows come back in the order given, equal to one at a time."""
    texts = [("cat " * (1 + 7 * number % 40)).strip() + f" {number}" for number in range(70)]
    together = pocket.embed_texts(texts)
    assert together.shape == (70, pocket.dim)
    alone = torch.cat([pocket.embed_texts([text]) for text in texts[::9]])
    torch.testing.assert_close(together[::9], alone, atol=1e-5, rtol=0)


def test_cleaning_is_openai_s(openai: Any) -> None:
    from clip.simple_tokenizer import basic_clean, whitespace_clean

    for text in AWKWARD:
        assert clean(text) == whitespace_clean(basic_clean(text))


def test_siglip_texts_lose_case_and_punctuation() -> None:
    from open_clip.tokenizer import canonicalize_text

    for text in AWKWARD:
        assert tokenizers.canonical(text) == canonicalize_text(text)


def test_what_no_model_can_read_is_refused() -> None:
    for texts in ([], [""], ["  \n"], ["fine", "\t"], ["x" * (MAX_TEXT + 1)], [5]):
        with pytest.raises(BadInput):
            check_texts(texts)  # type: ignore[arg-type]
    check_texts(["x" * MAX_TEXT])
