"""Names, galleries and atlas of units: planted ones are found with their forms, and what was not planted is not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import orthogonal_mp

from tests.workbench.neurons.planted_units import (
    CONCEPTS,
    CONSTANT,
    NEGATIVE,
    NOISE,
    OTHERS,
    UNITS,
    WORD_ONLY,
    pictures,
    planted,
)
from tests.workbench.neurons.taught_units import taught_units
from workbench.errors import BadInput, UnknownName, Unsupported, WeightsRefused
from workbench.fake import FakeBackend
from workbench.loading import load
from workbench.neurons import atlas as atlases
from workbench.neurons import atlas_building, naming
from workbench.neurons.activations import Survey, join, survey, unit_maps
from workbench.neurons.atlas import Atlas, find_atlas, read_atlas, write_atlas
from workbench.neurons.atlas_building import build_atlas
from workbench.neurons.corpus import CorpusItem, built_in, folder, open_item
from workbench.neurons.layers import layer_name
from workbench.neurons.naming import name_units
from workbench.neurons.page import fragment, places, render
from workbench.neurons.sparse_code import sparse_code
from workbench.neurons.unit import UnitReport, buckets, pushed, report
from workbench.neurons.vocabulary import WordTable, embed_words, vocabulary
from workbench.places import shipped
from workbench.progress import Progress

WORDS = (*CONCEPTS, *OTHERS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    box = planted()
    items = pictures(tmp_path_factory.mktemp("pictures"))
    seen = join([part for part in survey(box, items, "last") if isinstance(part, Survey)])
    return atlases.atlas_of(box, seen, WordTable(WORDS, embed_words(box, WORDS).numpy()), corpus="planted")


@pytest.fixture(scope="module")
def pocket() -> Atlas:
    return shipped_atlas("pocket")


def shipped_atlas(key: str) -> Atlas:
    result = find_atlas(load(key), "last")
    assert result is not None, "the shipped atlas is of other weights; make it again with `clip-workbench atlas`"
    return result


def described(atlas: Atlas, unit: int) -> UnitReport:
    return report(atlas, unit, model=("Planted", "planted"))


def test_an_atlas_and_its_evidence_have_the_stated_shapes(made: Atlas) -> None:
    n, dim, words = len(made.survey.items), planted().dim, len(WORDS)
    assert (made.survey.values.shape, made.survey.embeddings.shape) == ((n, UNITS), (n, dim))
    assert (made.survey.of(0).shape, made.units) == ((n,), UNITS)
    assert made.directions is not None
    assert (made.directions.shape, made.embedded.shape) == ((dim, UNITS), (n, dim))
    assert made.lexicon.rows.shape == made.lexicon.centred.shape == (words, dim)
    assert made.evidence.shuffled(made.survey.values[:, :2], np.random.default_rng(0)).shape == (n, 2)
    kinds = made.evidence.kinds(made.survey.values[:, :2], made.directions[:, :2])
    assert {table.shape for table in kinds.values()} == {(words, 2)}
    assert naming.scores(kinds).shape == (words, 2)
    likely, plain = naming._likely(made.survey.embeddings @ made.lexicon.rows.T)
    assert (likely.shape, plain.shape) == ((n, words), (words,))


def test_planted_units_are_all_named(made: Atlas) -> None:
    units = [*range(len(CONCEPTS)), WORD_ONLY]
    assert made.directions is not None
    named = name_units(made.evidence, units, directions=made.directions)
    assert [names[0].name for names in named] == [*CONCEPTS, CONCEPTS[0]]
    assert all(names[0].above_chance for names in named)
    assert all(names[0].evidence[form] > 3 for names in named[:-1] for form in ("photo", "drawing", "word"))


def test_units_that_respond_to_nothing_get_no_name(made: Atlas) -> None:
    assert made.directions is not None
    units = [NOISE, CONSTANT, NEGATIVE]
    named = name_units(made.evidence, units, directions=made.directions)
    assert not any(names[0].above_chance for names in named)


def test_a_units_forms_are_told_apart(made: Atlas) -> None:
    every = {row.form: row.concept for row in described(made, 0).forms}
    words = {row.form: row.concept for row in described(made, WORD_ONLY).forms}
    assert [every[form].value for form in every] == [1.0, 1.0, 1.0]  # type: ignore[union-attr]
    assert (words["word"].value, words["drawing"].value, words["photo"].value) == (1.0, 0.5, 0.5)  # type: ignore[union-attr]


def test_buckets_cover_the_whole_range_and_zero_stands_apart(made: Atlas) -> None:
    for unit in (0, NEGATIVE, NOISE, CONSTANT):
        result, values = buckets(made, unit), made.survey.of(unit)
        assert sum(bucket.count for bucket in result) == len(values)
        assert all(bucket.low <= one.activation <= bucket.high for bucket in result for one in bucket.images)
        assert [bucket.low for bucket in result] == sorted((bucket.low for bucket in result), reverse=True)
    assert [bucket.count for bucket in buckets(made, 0) if bucket.low == bucket.high == 0] == [
        int((made.survey.of(0) == 0).sum())
    ]
    assert buckets(made, NEGATIVE)[-1].low < 0


def test_words_are_pushed_by_the_product_with_the_direction(made: Atlas) -> None:
    up, down = pushed(made, 2)
    rows = made.lexicon.rows
    by_hand = (rows[2] - rows.mean(axis=0)) @ made.directions[:, 2]  # type: ignore[index]
    assert up[0] == (CONCEPTS[2], pytest.approx(float(by_hand), abs=1e-6))
    assert down[0][1] == pytest.approx(float(min((rows - rows.mean(axis=0)) @ made.directions[:, 2])), abs=1e-6)  # type: ignore[index]


def test_a_sparse_code_finds_the_words_of_a_mixture(made: Atlas) -> None:
    centred = made.lexicon.centred
    code = sparse_code(0.8 * centred[3] + 0.5 * centred[7], made.lexicon, words=2)
    assert [word for word, _ in code.words] == [CONCEPTS[3], CONCEPTS[7]]
    assert code.explained > 0.99 > 0.9 > code.shuffled


def test_a_sparse_code_is_scikit_learns(made: Atlas) -> None:
    rows = made.lexicon.centred
    for direction in np.random.default_rng(3).normal(size=(20, rows.shape[1])).astype(np.float32):
        target = direction / np.linalg.norm(direction)
        weights = orthogonal_mp(rows.T, target, n_nonzero_coefs=5)
        code = sparse_code(direction, made.lexicon)
        assert dict(code.words) == pytest.approx(
            {made.lexicon.words[at]: float(weights[at]) for at in np.flatnonzero(weights)}, abs=1e-5
        )
        assert code.explained == pytest.approx(1 - float(((target - rows.T @ weights) ** 2).sum()), abs=1e-6)


def test_shuffling_stays_within_a_form(made: Atlas) -> None:
    values = made.evidence.shuffled(made.survey.values, np.random.default_rng(0))
    forms = np.array([item.form for item in made.survey.items])
    for form in set(forms):
        assert sorted(values[forms == form, 0]) == sorted(made.survey.of(0)[forms == form])
    assert not np.array_equal(values, made.survey.values)


def test_soft_wpmi_by_hand() -> None:
    """Two images, two words: the formula of the paper written out."""
    cosines = np.array([[0.3, 0.1], [0.1, 0.3]], np.float32)
    values = np.array([[2.0], [1.0]], np.float32)
    likely = np.exp(10 * cosines) / np.exp(10 * cosines).sum(axis=1, keepdims=True)
    first, last = 0.998, 0.97
    joint = np.log(1 + first * (likely[0] - 1)) + np.log(1 + last * (likely[1] - 1))
    plain = 2 * np.log(1 + (first + last) / 2 * (likely - 1)).mean(axis=0)
    assert naming._soft_wpmi(values, *naming._likely(cosines))[:, 0] == pytest.approx(joint - plain, abs=1e-5)


def test_a_map_is_where_the_unit_is_active(made: Atlas) -> None:
    item = next(item for item in made.survey.items if item.concept == CONCEPTS[0])
    cells = unit_maps(planted(), [open_item(item)], layer="planted", unit=0)
    assert cells.shape == (1, 4, 4)  # images, rows, columns
    assert (cells[0, :2, :2] == 16).all()
    assert cells[0].sum() == 64


def test_files_that_cannot_be_opened_are_named_and_passed_over(tmp_path: Path) -> None:
    items = pictures(tmp_path, each=1)[:3]
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    seen = join(
        [
            part
            for part in survey(planted(), (*items, CorpusItem(str(broken), "file")), "last")
            if isinstance(part, Survey)
        ]
    )
    assert (len(seen.items), seen.failed) == (3, (str(broken),))
    with pytest.raises(BadInput, match="at least one image"):
        folder([])
    with pytest.raises(BadInput, match="could be opened"):
        join(
            [part for part in survey(planted(), [CorpusItem(str(broken), "file")], "last") if isinstance(part, Survey)]
        )


def test_a_stopped_atlas_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(atlas_building, "IN_PIECES", 10)
    items = pictures(tmp_path)
    first = build_atlas(planted(), items, "last", corpus="planted")
    steps = [next(first) for _ in range(4)]
    first.close()
    assert isinstance(steps[-1], Progress)
    rest = list(build_atlas(planted(), items, "last", corpus="planted"))
    done = [step.done for step in rest if isinstance(step, Progress) and step.unit == "images"]
    assert (steps[-1].done, done[0]) == (64, 96)  # type: ignore[union-attr]
    assert isinstance(rest[-1], Atlas)
    whole = join([part for part in survey(planted(), items, "last") if isinstance(part, Survey)])
    assert np.array_equal(rest[-1].survey.values, whole.values)
    assert rest[-1].survey.items == items
    assert not list((tmp_path / "home").rglob("*.parts/*"))


def test_an_atlas_is_read_as_it_was_written(made: Atlas, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_atlas(made, path)
    box = planted()
    again = read_atlas(path, box)
    assert (again.survey.items, again.lexicon.words, again.corpus) == (made.survey.items, made.lexicon.words, "planted")
    assert np.abs(again.survey.values - made.survey.values).max() < 2e-3
    other = planted()
    other.fingerprint = "another"
    with pytest.raises(WeightsRefused, match="another model"):
        read_atlas(path, other)
    with pytest.raises(WeightsRefused, match="cannot be read"):
        read_atlas(tmp_path / "none.safetensors", box)


def test_layers_and_units_that_do_not_exist_are_refused(made: Atlas) -> None:
    assert layer_name(planted().anatomy, "last") == "planted"
    with pytest.raises(UnknownName, match="planted"):
        layer_name(planted().anatomy, "layer9")
    with pytest.raises(Unsupported, match="no layers"):
        layer_name(FakeBackend().anatomy, "last")
    for unit in (-1, UNITS):
        with pytest.raises(BadInput, match=f"0 to {UNITS - 1}"):
            described(made, unit)


def test_the_page_is_one_offline_file_and_escapes(made: Atlas) -> None:
    mean = '<script>alert("x")</script>'
    items = tuple(replace(item, concept=mean) if n == 0 else item for n, item in enumerate(made.survey.items))
    atlas = replace(made, survey=replace(made.survey, items=items))
    one = described(atlas, 0)
    page = render(one, where=places(planted(), one))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"https?://", page)
    assert page.count("data:image/jpeg;base64,") > 20
    assert "default-src 'none'" in page
    assert "<script" not in fragment(one, "strongest")
    assert "responds to" in page


def test_the_built_in_corpus_has_three_forms_and_every_item_opens() -> None:
    items = built_in()
    assert {item.form for item in items} == {"photo", "drawing", "word"}
    assert len({item.key for item in items}) == len(items) > 1000
    for item in items[:: len(items) // 25]:
        assert open_item(item).mode == "RGB"


@pytest.mark.parametrize("key", ["pocket", "pocket-lite2"])
def test_taught_units_of_shipped_models_get_their_names(key: str) -> None:
    """The card lists the channels and concepts that were taught."""
    atlas = shipped_atlas(key)
    taught = taught_units(key)
    assert atlas.directions is not None
    assert len(taught) > 40
    units = list(taught)
    named = name_units(atlas.evidence, units, directions=atlas.directions)
    called = [[name.name for name in names] for names in named]
    first = np.mean([names[0] == concept for names, concept in zip(called, taught.values(), strict=True)])
    among = np.mean([concept in names for names, concept in zip(called, taught.values(), strict=True)])
    assert first >= 0.8
    assert among >= 0.95
    generator = np.random.default_rng(0)
    noise = replace(atlas.survey, values=atlas.evidence.shuffled(atlas.survey.values, generator))
    chance = name_units(
        naming.UnitEvidence(noise, atlas.lexicon), units, directions=generator.permutation(atlas.directions)
    )
    hits = [concept in [name.name for name in names] for names, concept in zip(chance, taught.values(), strict=True)]
    assert np.mean(hits) <= 0.05


@pytest.mark.parametrize("key", ["pocket", "pocket-lite2"])
def test_a_shipped_atlas_is_small_and_covers_the_built_in_corpus(key: str) -> None:
    files = list(shipped("atlases").iterdir())
    assert all(file.stat().st_size < 10 * 2**20 for file in files)
    atlas = shipped_atlas(key)
    assert {item.key for item in atlas.survey.items} == {item.key for item in built_in()}
    assert atlas.lexicon.words == vocabulary()
