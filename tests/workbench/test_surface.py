"""Indexes, comparisons, probes, attacks and images from a notebook give what the rooms beneath give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workbench
from workbench import loading
from workbench.engine import Engine
from workbench.errors import BadInput, Cancelled, UnknownName
from workbench.fake import FakeBackend
from workbench.model import Model
from workbench.pictures import sample, sample_path
from workbench.probes.embedding import ImageFeatures, embed_images
from workbench.probes.labelled import read_labelled
from workbench.probes.linear import probe
from workbench.progress import Progress
from workbench.typographic.comparing import canvas, compare
from workbench.typographic.lettering import Label


@pytest.fixture(scope="module")
def pocket() -> Model:
    return workbench.load("pocket", device="cpu")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of eight images."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("cat", "rocket"):
        (folder / name).mkdir()
        for turn in range(8):
            sample(name).resize((96, 96)).rotate(3 * turn).save(folder / name / f"{turn}.png")
    return folder


def test_an_index_finds_by_words_by_sums_and_by_an_image(pocket: Model, photos: Path, tmp_path: Path) -> None:
    index = workbench.Index(tmp_path / "own", pocket)
    report = index.add(photos)
    assert (report.added, report.rows, len(index)) == (16, 16, 16)
    assert index.add(str(photos)).unchanged == 16
    words = pocket.embed_texts(["cat", "rocket"])
    vector = 2 * words[0] - words[1]
    scores = {
        str(path): float(pocket.embed_images(path) @ vector) / np.linalg.norm(vector) for path in photos.rglob("*.png")
    }
    hits = index.search("2:cat - rocket", top=16)
    assert [round(hit.score, 3) for hit in hits] == sorted((round(one, 3) for one in scores.values()), reverse=True)
    assert index.search(photos / "rocket" / "0.png", top=1).paths == [str(photos / "rocket" / "0.png")]
    assert index.search(sample("cat"), top=1)[0].path.startswith(str(photos / "cat"))
    assert index.search("a photo of a cat", top=3).to_frame()["path"].str.contains("cat").all()
    assert workbench.Index(tmp_path / "own").model.key == "pocket"
    with pytest.raises(UnknownName):
        len(workbench.Index(tmp_path / "none", pocket))


def test_adding_stops_where_its_watcher_raises_and_goes_on_later(pocket: Model, photos: Path, tmp_path: Path) -> None:
    index = workbench.Index(tmp_path / "own", pocket)

    def stop(now: Progress) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        index.add(photos, progress=stop)
    assert index.add(photos).rows == 16


def test_models_of_any_name_are_compared(photos: Path, pocket: Model) -> None:
    own = FakeBackend(device="cpu")
    own.spec = replace(own.spec, key="my own")
    rows = workbench.evaluate(photos, models=[pocket, own], by="zero-shot", shots=[1], seeds=2)
    assert rows.best == "pocket"
    assert [row["model"] for row in rows.to_dict()] == ["pocket", "my own"]
    assert set(rows.to_frame()["way"]) == {"zero-shot", "1 shot", "probe"}
    with pytest.raises(UnknownName):
        workbench.evaluate(photos, models=["my own"])
    with pytest.raises(BadInput):
        workbench.evaluate(photos, models=[pocket, pocket])


def test_a_probe_is_the_paper_s_on_the_features_of_the_model(photos: Path) -> None:
    fitted = workbench.probe(photos, "pocket", seed=3)
    images = read_labelled(str(photos), seed=3)
    with Engine(default="pocket", device="cpu") as engine, engine.session("test") as session:
        *_, made = embed_images(session, images.samples)
    assert isinstance(made, ImageFeatures)
    expected = probe(made.features, images)
    assert fitted.accuracy == expected.accuracy
    assert fitted.strength == expected.strength
    assert fitted.to_dict()["classes"] == fitted.to_frame().to_dict("records")
    with pytest.raises(UnknownName):
        workbench.probe(photos, "pocket", solver="magic")
    with pytest.raises(BadInput):
        workbench.probe(photos, "pocket", alpha=1.0)


def test_an_attack_answers_what_the_image_itself_answers(pocket: Model) -> None:
    attack = pocket.attack(sample_path("drawn-apple"), word="rocket", labels=["apple"], size=0.4)
    backend = loading.load("pocket", device="cpu")
    opened = canvas(sample("drawn-apple"))
    expected = compare(backend, opened, [Label("rocket", size=0.4)], names=["apple", "rocket"])
    np.testing.assert_allclose(attack.comparison.answers.probabilities, expected.answers.probabilities, atol=1e-5)
    assert attack.to_dict()["label"]["size"] == 0.4
    assert attack.to_frame()["label"].tolist()[0] == attack.answer
    for given in ({}, {"word": "a", "find": "b"}):
        with pytest.raises(BadInput):
            pocket.attack(sample("cat"), labels=["cat"], **given)


def test_a_generated_image_can_be_made_again_from_its_settings(pocket: Model, tmp_path: Path) -> None:
    made = pocket.generate("a red apple", method="pixels", steps=2, side=64, seed=5)
    again = pocket.generate(made.settings)
    assert np.array_equal(np.asarray(made.image), np.asarray(again.image))
    assert made.save(tmp_path / "a.png").is_file()
    assert made.judge is not None
    assert len(made.to_frame()) == 2
    with pytest.raises(BadInput):
        pocket.generate("a red apple", side=7)


def test_a_session_of_the_engine_is_taken_in_a_model_s_place(pocket: Model, photos: Path) -> None:
    with Engine(default="pocket", device="cpu") as engine, engine.session("visitor") as session:
        model = Model(session)
        np.testing.assert_allclose(model.embed_texts("cat"), pocket.embed_texts("cat"), atol=1e-5)
        assert workbench.classify(session, sample("cat"), ["cat", "dog"]).label == "cat"
        assert model.explain(sample("cat"), ["cat", "dog"]).label == "cat"
        assert workbench.probe(photos, session).accuracy.n == 4
