"""What the map hands on: groups with colours, a legend, and chosen images with the labels another view needs."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.map import words
from apps.map.points import MapPoint, MapPoints, groups_of, labelled_images
from workbench.datasets import ImageSample
from workbench.errors import BadInput
from workbench.retrieval.projection import Projection


def points(folder: Path, labels: list[str]) -> MapPoints:
    samples = []
    for number, label in enumerate(labels):
        path = folder / f"{number}.png"
        Image.new("RGB", (4, 4)).save(path)
        samples.append(ImageSample(path.name, path, label))
    rows = [MapPoint(one.name, "image", {"label": one.label, "camera": "X1"}) for one in samples]
    images, texts = np.zeros((len(labels), 2), np.float32), np.zeros((1, 2), np.float32)
    return MapPoints((*rows, MapPoint("a dog", "text")), images, texts, tuple(samples))


def test_columns_and_groups(tmp_path: Path) -> None:
    made = points(tmp_path, ["dog", "dog", "", *"abcdefgh"])
    assert made.columns == ["cluster", "kind", "label"]  # one camera tells nothing
    groups = groups_of(made, "label")
    assert (groups[0], groups[2], groups[-1]) == ("dog", "no label", "text")
    assert groups.count("others") == 3  # seven groups have a colour: dog, none, and five letters
    assert words.legend(groups)[0] == "dog"
    assert words.legend(groups)[-2:] == ["others", "text"]
    assert groups_of(made, "kind")[:2] == ["image", "image"]


def test_names_on_the_map_are_no_markup(tmp_path: Path) -> None:
    made = points(tmp_path, ["<b>x</b>", "y"])
    drawn = words.canvas(made.points, groups_of(made, "label"), Projection(np.eye(3, 2, dtype=np.float32), 0.5, 0.0))
    assert "<b>" not in drawn
    assert "&lt;b&gt;x&lt;/b&gt; (1)" in drawn


def test_the_page_gets_places_groups_and_names_back(tmp_path: Path) -> None:
    made = points(tmp_path, ["dog", "cat", "dog"])
    positions = np.array([[-1.0, 4.0], [0.0, 2.0], [3.0, 0.0], [1.0, 1.0]], np.float32)
    drawn = words.canvas(made.points, groups_of(made, "label"), Projection(positions, 0.5, 0.0))
    sent = {
        name: html.unescape(value) for name, value in re.findall(r'data-(places|groups|texts|names)="([^"]*)"', drawn)
    }
    places = np.frombuffer(base64.b64decode(sent["places"]), "<u2").reshape(-1, 2) / 65535
    assert places == pytest.approx((positions - [-1, 0]) / [4, 4], abs=1e-5)
    assert list(base64.b64decode(sent["groups"])) == [0, 1, 0, 2]  # dog, cat, dog, text: as the legend has them
    assert json.loads(sent["texts"]) == {"3": "a dog"}
    assert json.loads(sent["names"]) == [point.name for point in made.points]


def test_small_maps_alone_send_the_names_of_all_points() -> None:
    for count, known in ((words.NAMED, words.NAMED), (words.NAMED + 1, 0)):
        many = tuple(MapPoint(f"folder/{'x' * 50}{number}.jpg", "image") for number in range(count))
        drawn = words.canvas(many, ["image"] * count, Projection(np.eye(count, 2, dtype=np.float32), 0.5, 0.0))
        names = json.loads(html.unescape(re.findall(r'data-names="([^"]*)"', drawn)[0]))
        assert [name[-6:] for name in names] == [point.name[-6:] for point in many[:known]]
        assert all(len(name) == 40 for name in names)


def test_a_hundred_thousand_points_are_less_than_a_megabyte(tmp_path: Path) -> None:
    many = tuple(MapPoint(f"{number}.jpg", "image") for number in range(100_000))
    positions = np.random.default_rng(0).normal(size=(100_000, 2)).astype(np.float32)
    assert len(words.canvas(many, ["image"] * 100_000, Projection(positions, 0.5, 0.0))) < 1_000_000


def test_a_lasso_leads_to_audits_and_to_a_probe(tmp_path: Path) -> None:
    made = points(tmp_path, ["dog", "a/b", "", "dog"])
    groups = groups_of(made, "label")
    sent = labelled_images("audits", made, "0,1,2,4,99,x", groups=groups)  # 4 is a text
    assert [label for _, label in sent] == ["dog", "a-b", "no label"]
    assert [Path(file).name for file, _ in sent] == ["0.png", "1.png", "2.png"]
    assert labelled_images("evaluate", made, "0,1,2", groups=groups) == sent
    probe = labelled_images("evaluate", made, "0,3", groups=groups)  # one label: what the lasso holds against the rest
    assert [label for _, label in probe] == ["chosen", "others", "others", "chosen"]
    for chosen in ("", "4", "99"):
        with pytest.raises(BadInput, match="lasso"):
            labelled_images("audits", made, chosen, groups=groups)
    with pytest.raises(BadInput, match="Draw the map"):
        labelled_images("audits", None, "0", groups=[])


def test_members_of_archives_get_a_file(tmp_path: Path) -> None:
    made = points(tmp_path, ["dog"])
    data = (tmp_path / "0.png").read_bytes()
    zipped = MapPoints(made.points, made.images, made.texts, (ImageSample("a/0.png", lambda: data, "dog"),))
    ((file, label),) = labelled_images("audits", zipped, "0", groups=["dog"])
    assert (Path(file).read_bytes(), Path(file).suffix, label) == (data, ".png", "dog")
