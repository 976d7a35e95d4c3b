"""Published images with true and false captions: rows as their authors' files have them, and clear refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import audits
from audits.catalogue import read_protocol
from audits.datasets.published_counts import COUNTS, beside_published
from audits.datasets.readers import read
from tests.audits.planted import dataset, embedded, facts, find, stages_of
from workbench.errors import BadInput

EYE = np.eye(2)
CREPE = {  # file -> entries, in SugarCrepe's layout
    "swap_att": [("Blue bathroom with two white towels.", "White bathroom with two blue towels.")],
    "add_obj": [("A cat naps on the couch.", "A cat naps under a blanket on the couch.")] * 2,
}


def images(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for at, name in enumerate(names):
        Image.new("RGB", (8, 8), (at * 40, 0, 0)).save(folder / name)


def sugarcrepe(place: Path) -> str:
    images(place / "val2017", "000000000001.jpg", "000000000002.jpg")
    (place / "data").mkdir()
    for name, pairs in CREPE.items():
        entries = {
            str(at): {"filename": f"00000000000{at + 1}.jpg", "caption": true, "negative_caption": false}
            for at, (true, false) in enumerate(pairs)
        }
        (place / "data" / f"{name}.json").write_text(json.dumps(entries), encoding="utf-8")
    return f"sugarcrepe:{place}"


def test_sugarcrepe(tmp_path: Path, own_home: Path) -> None:
    data = read(sugarcrepe(tmp_path / "crepe"))
    rows = data.table.set_index("sample_id")
    assert list(rows.index) == ["add_obj-0", "add_obj-1", "swap_att-0"]
    assert rows.loc["swap_att-0", "negative"] == "White bathroom with two blue towels."
    assert list(rows["kind"]) == ["add object", "add object", "swap attribute"]
    assert rows.loc["add_obj-0", "cluster"] == rows.loc["swap_att-0", "cluster"] == "000000000001"
    counts = beside_published(data)
    assert counts is not None
    assert "images: 3, published 7511" in counts["differ"]
    parts = COUNTS["sugarcrepe"].counts
    assert sum(n for group, n in parts.items() if group) == parts[""]


def test_a_model_that_guesses_gets_half_of_sugarcrepe(tmp_path: Path, own_home: Path) -> None:
    images(tmp_path / "val2017", "1.jpg")
    (tmp_path / "data").mkdir()
    for name in ("add_obj", "replace_rel", "swap_att"):
        entries = {
            str(at): {"filename": "1.jpg", "caption": f"{name} {at}", "negative_caption": f"not {name} {at}"}
            for at in range(300)
        }
        (tmp_path / "data" / f"{name}.json").write_text(json.dumps(entries), encoding="utf-8")
    data = read(f"sugarcrepe:{tmp_path}")
    data = replace(data, table=data.table.assign(cluster=data.table["sample_id"]))  # its images are as many, not one
    composition, rules = stages_of("limits/composition"), read_protocol("limits/composition", "captions")
    rng = np.random.default_rng(0)
    every = composition.texts(data, rules)
    rows = rng.normal(size=(len(every) + len(data.table), 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    texts = dict(zip(every, rows, strict=False))
    samples = composition.score(embedded(data, rows[len(every) :], texts), rules, seed=0)
    analysis = composition.analyse(samples, rules, model=facts(16), seed=0)
    row = find(analysis, "image_to_text")
    assert row.n == 900
    assert row.ci_low < 0.5 < row.ci_high  # type: ignore[operator]
    assert row.ci_high - row.ci_low < 0.08  # type: ignore[operator]


@pytest.mark.heavy
def test_sugarcrepe_as_a_run(tmp_path: Path, own_home: Path) -> None:
    run = audits.run("limits/composition", "fake", sugarcrepe(tmp_path / "crepe"), out=tmp_path / "runs")
    assert run.metrics["label_set"].unique().tolist() == ["SugarCrepe"]
    assert set(run.metrics["metric"]) == {"image_to_text", "tied", "blind", "above_blind"}


def test_aro_looks_at_the_box(tmp_path: Path, own_home: Path) -> None:
    images(tmp_path / "images", "1.jpg")
    entry = {"image_path": "1.jpg", "true_caption": "the man is left of the dog", "bbox_x": 1, "bbox_y": 0}
    entry |= {"false_caption": "the dog is left of the man", "bbox_w": 5, "bbox_h": 6, "relation_name": "left of"}
    (tmp_path / "visual_genome_relation.json").write_text(json.dumps([entry]), encoding="utf-8")
    (row,) = read(f"aro:{tmp_path}").table.to_dict("records")
    assert (row["kind"], row["box"], row["path"]) == ("swap relation", "1,0,5,6", "images/1.jpg")
    assert row["caption"] == "the man is left of the dog"


def test_winoground_is_two_images_a_line(tmp_path: Path, own_home: Path) -> None:
    images(tmp_path / "images", "ex_0_img_0.png", "ex_0_img_1.png")
    line = {"id": 0, "image_0": "ex_0_img_0", "image_1": "ex_0_img_1", "collapsed_tag": "Object"}
    line |= {"caption_0": "an old person kisses a young person", "caption_1": "a young person kisses an old person"}
    (tmp_path / "examples.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    one, two = read(f"winoground:{tmp_path}").table.to_dict("records")
    assert one["caption"] == two["negative"] == line["caption_0"]
    assert one["pair"] == two["pair"]
    assert one["kind"] == "swap object"


def test_negbench_takes_the_true_caption_from_its_number(tmp_path: Path, own_home: Path) -> None:
    images(tmp_path / "images", "9.jpg")
    (tmp_path / "COCO_val_mcq_llama3.1_rephrased.csv").write_text(
        "image_path,correct_answer,caption_0,caption_1,caption_2,caption_3,correct_answer_template\n"
        "data/coco/9.jpg,2,a cat,no dog,a dog but no cat,a cat and a dog,hybrid\n",
        encoding="utf-8",
    )
    (tmp_path / "COCO_val_retrieval.csv").write_text(
        "filepath,captions\nx/9.jpg,\"['A dog, no cat.', 'A dog.']\"\n", encoding="utf-8"
    )
    question, image = read(f"negbench:{tmp_path}").table.to_dict("records")
    assert question["caption"] == "a dog but no cat"
    assert [question[name] for name in ("negative", "negative_2", "negative_3")] == [
        "a cat",
        "no dog",
        "a cat and a dog",
    ]
    assert (image["kind"], image["caption"], image["negative"]) == ("retrieval", "A dog, no cat.", "")


@pytest.mark.parametrize(
    ("kind", "file", "content", "result"),
    [
        ("sugarcrepe", "swap_att.json", "[", "no JSON file"),
        ("sugarcrepe", "swap_att.json", "[1]", "is an object"),
        ("sugarcrepe", "swap_att.json", '{"0": {"filename": "1.jpg"}}', "'caption'"),
        ("sugarcrepe", "other.json", "{}", "SugarCrepe is read from"),
        ("aro", "other.json", "{}", "ARO is read from"),
        ("winoground", "examples.jsonl", "", "Winoground is read from"),
        ("negbench", "a.csv", "image_path,caption_0,caption_1,correct_answer\n1.jpg,a,b,7\n", "number of a caption"),
        ("negbench", "a.csv", "filepath,captions\n1.jpg,[a\n", "list of sentences"),
    ],
)
def test_what_is_no_such_data_set_is_refused(
    tmp_path: Path, own_home: Path, kind: str, file: str, content: str, result: str
) -> None:
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=result):
        read(f"{kind}:{tmp_path}")


def test_published_numbers_stand_beside_their_own_data_set_only() -> None:
    from audits.stages import analysed

    composition, rules = stages_of("limits/composition"), read_protocol("limits/composition", "captions")
    for source in ("SugarCrepe", "drawn scenes"):
        data = dataset([""] * 2, caption=["a", "b"], negative=["b", "a"], kind=["swap object"] * 2, source=[source] * 2)
        samples = composition.score(embedded(data, EYE, dict(zip("ab", EYE, strict=True))), rules, seed=0)
        analysis = analysed(composition, samples, rules, model=facts(2), seed=0)
        row = find(analysis, "image_to_text", kind="swap object")
        assert row.published_value == (pytest.approx(0.6138) if source == "SugarCrepe" else None)
