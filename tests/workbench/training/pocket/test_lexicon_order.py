"""The lexicon comes out the same in every process: a seed decides by places in it, and sets have no order to keep."""

from __future__ import annotations

from pathlib import Path

from timm.data.imagenet_info import ImageNetInfo

from workbench.training.pocket import names

WIDER = 24  # hypernyms of each class; by chance alone they would hardly ever come out sorted


def test_wider_kinds_are_in_the_order_of_their_offsets(tmp_path: Path) -> None:
    info, lines = ImageNetInfo(), []
    above = " ".join(f"@ {place:08d} n 0000" for place in reversed(range(WIDER)))
    lines += [f"{place:08d} 03 n 01 kind_{place} 0 000 | a kind" for place in range(WIDER)]
    for number in range(names.CLASSES):
        own = [word.strip().replace(" ", "_") for word in info.index_to_description(number).split(",")]
        pointers = f"{WIDER:03d} {above}" if number < 2 else "000"
        words = " ".join(f"{word} 0" for word in own)
        lines.append(f"{1000 + number:08d} 03 n {len(own):02x} {words} {pointers} | class {number}")
    file = tmp_path / "data.noun"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "index.noun").touch()
    result = names.lexicon(file)
    wide = [concept.names[0] for concept in result.concepts[names.CLASSES : names.CLASSES + WIDER]]
    assert wide == [f"kind {place}" for place in range(WIDER)]
    assert result.above[0] == result.above[1] == tuple(range(names.CLASSES, names.CLASSES + WIDER))
