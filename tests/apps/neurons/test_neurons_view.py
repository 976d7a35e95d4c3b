"""The neurons view without a browser: pages, the search, who spoke for an answer, and answers after a switch."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from apps.neurons import (
    address,
    dictionaries,
    heads,
    mapping,
    painting,
    presets,
    probing,
    read_unit,
    unit_pages,
    unit_rows,
    wall,
)
from apps.neurons.answers import explain, summary
from apps.neurons.opened import OpenAtlases
from apps.neurons.switches import answer_rows, own_rows, turned_images
from apps.neurons.trial import try_image, try_sentence
from apps.serving.options import SHARED
from apps.shared.markdown import in_markdown
from apps.shared.model_menu import choices, with_folder
from apps.shared.widgets import COLLAPSED
from tests.workbench.neurons.taught_units import taught
from workbench.checkpoints.edit import write_edit
from workbench.engine import Engine, Session
from workbench.errors import BadInput, Cancelled, Unsupported
from workbench.hooks import ablate
from workbench.images import png_text, safe_open
from workbench.loading.hub import Presence
from workbench.neurons.conductance import ConductanceRequest
from workbench.neurons.dictionary import DictionarySettings
from workbench.neurons.dictionary_atlas import dictionary_atlas
from workbench.neurons.edits import units_edit
from workbench.neurons.finding import find_readers, find_units
from workbench.neurons.head_survey import HeadSurvey
from workbench.neurons.sparse_probe import LabelledUnits, SparseProbe, SparseProbeRow
from workbench.neurons.switching import UnitChange, changed_rows, intervened, parse_units, switch
from workbench.neurons.telling import telling_units
from workbench.neurons.text_span import HeadSpan, SpanText
from workbench.neurons.unit_images import KEY, Visualisation
from workbench.neurons.unit_map import unit_map
from workbench.neurons.visualisation import Facet, UnitImages, UnitImageSettings
from workbench.neurons.vocabulary import embed_words
from workbench.pictures import sample_path
from workbench.progress import Progress
from workbench.retrieval.adding import add
from workbench.scheduler import CancelToken
from workbench.statistics.intervals import Interval, proportion

CAT, KOALA = taught("cat"), taught("koala")


@pytest.fixture(scope="module")
def session(engine: Engine) -> Iterator[Session]:
    with engine.session("test", "pocket", deadline=120) as opened:
        yield opened


@pytest.fixture(scope="module")
def atlases() -> OpenAtlases:
    return OpenAtlases()


def test_a_page_comes_in_one_piece_where_the_atlas_is_shipped(session: Session, atlases: OpenAtlases) -> None:
    pages = list(unit_pages(session, atlases.steps(session, "last"), CAT, answer="car"))
    assert len(pages) == 2  # without and with the maps
    status, page, offline, numbers = pages[-1]
    assert status.startswith(f"**Unit {CAT}\\: cat**")
    assert address("conv_head", CAT) == f"?unit=conv_head/{CAT}#neurons"
    assert f"unit=conv_head/{CAT}" in status
    assert "Used most for the answer “car”" in page
    assert "\n\n" not in page
    assert "Macro" not in page
    assert 'class="unit-histogram" src="data:image/svg+xml;base64,' in page
    assert "<script" not in page
    assert page.count("<img") > 30
    assert "default-src 'none'" in Path(offline["value"]).read_text(encoding="utf-8")
    vector = json.loads(Path(numbers["value"]).read_text(encoding="utf-8"))
    head = session.anatomy.head
    assert head is not None
    assert vector["direction"] == pytest.approx(head.directions[:, CAT].tolist(), abs=1e-5)
    assert len(vector["activations"]) == 1209


def test_a_search_finds_the_taught_unit_at_once(session: Session, atlases: OpenAtlases) -> None:
    atlas = atlases.ready(session, "last")
    for word, unit in (("koala", KOALA), ("cat", CAT)):
        result = find_units(atlas, word, embed_words(session, [word])[0].numpy())
        assert unit in [one.unit for one in result[:2]]
        assert result[0].selectivity["word"] == 1.0
    other = find_units(atlas, "a small cat", embed_words(session, ["a small cat"])[0].numpy())
    assert CAT in [one.unit for one in other]
    assert other[0].selectivity == {}
    assert unit_rows(other)[0][3:] == ["–", "–", "–"]


def test_letters_find_the_units_that_read_them(session: Session, atlases: OpenAtlases) -> None:
    atlas = atlases.ready(session, "last")
    result = find_readers(atlas, "*Y")
    own = [n for n, item in enumerate(atlas.survey.items) if item.form == "word"]
    ends = [atlas.survey.items[n].concept.endswith("y") for n in own]
    by_hand = [roc_auc_score(ends, atlas.survey.values[own, one.unit]) for one in result]
    assert [one.selectivity["word"] for one in result] == pytest.approx(by_hand)
    assert by_hand == sorted(by_hand, reverse=True)
    assert by_hand[0] > 0.95
    assert unit_rows(result)[0][1:] == [f"{by_hand[0]:.2f}", "–", "–", "–", f"{by_hand[0]:.2f}"]
    for pattern, message in (("*q*q*", "0 have"), ("*", "723 have"), ("[a]*", "letters and stars"), ("*" * 99, "20")):
        with pytest.raises(BadInput, match=re.escape(message)):
            find_readers(atlas, pattern)


def test_the_speakers_are_an_exact_sum_and_none_says_more_for_the_cat_than_its_unit(session: Session) -> None:
    result = explain(session, str(sample_path("cat")), ("cat", "dog"))
    assert max(result.speakers, key=lambda one: one.to_a).unit == CAT
    assert CAT in [one.unit for one in result.speakers[:3]]
    total = sum(one.adds for one in result.speakers) + result.others + result.constant
    rows = embed_words(session, ["cat", "dog"]).numpy()
    image = session.embed_images([sample_path("cat")])[0].numpy()
    assert total == pytest.approx(float(image @ rows[0] - image @ rows[1]), abs=1e-6)
    assert all(one.adds == pytest.approx(one.to_a - one.to_b, abs=1e-6) for one in result.speakers)
    assert "cat" in summary(result, ("cat", "dog"))
    for path, labels in ((None, ("a", "b")), ("x.png", ("cat", "cat")), ("x.png", ("", "dog"))):
        with pytest.raises(BadInput):
            explain(session, path, labels)


def test_answers_without_a_pass_are_those_of_a_pass(session: Session, atlases: OpenAtlases) -> None:
    atlas = atlases.ready(session, "last")
    place = next(n for n, item in enumerate(atlas.survey.items) if item.key == "photo:chelsea.png")
    rows = embed_words(session, ["cat", "dog"]).numpy()
    pixels = session.prepare(safe_open(sample_path("cat"))).numpy()[None]
    before = session.embed_images([sample_path("cat")])[0].numpy()
    for change in (UnitChange((CAT, 44)), UnitChange((CAT,), "clamp", 1.0), UnitChange((CAT,), "add", -1.5)):
        quick = changed_rows(atlas, change)[place]
        (passed,) = next(intervened(session, pixels, [change], layer="conv_head"))
        assert np.abs(quick - passed).max() < 2e-4  # the shipped activations are in half precision
        assert np.abs(quick - before).max() > 1e-3
        both = own_rows(session, str(sample_path("cat")), change, layer="conv_head", texts=rows)
        assert answer_rows(["cat", "dog"], both)[0][0] == "cat"


def test_without_its_units_a_concept_is_named_less_often(session: Session, atlases: OpenAtlases) -> None:
    atlas = atlases.ready(session, "last")
    labels = ("cat", "rat", "fox", "wolf")
    outcome = find_units(atlas, "cat", embed_words(session, ["cat"])[0].numpy(), count=80)
    result = switch(
        atlas, UnitChange(tuple(one.unit for one in outcome)), labels, rows=embed_words(session, labels).numpy()
    )
    assert result.after.value < result.before.value  # type: ignore[operator]
    assert result.before.n == sum(item.concept in labels for item in atlas.survey.items)
    images = len(atlas.survey.items)
    assert result.answers_before.shape == result.answers_after.shape == (images,)
    assert changed_rows(atlas, UnitChange((CAT,))).shape == (images, session.dim)
    assert "→" in turned_images(atlas, result, labels)
    nothing = switch(atlas, UnitChange((CAT,), "add", 0.0), labels, rows=embed_words(session, labels).numpy())
    assert nothing.turned.value == 0


def test_what_was_painted_in_words_a_table_and_a_file() -> None:
    settings = UnitImageSettings("conv_head", 7, count=2, steps=3, seed=9)
    images = UnitImages(np.zeros((2, 160, 160, 3), np.uint8), settings, (0.1, 0.2, 0.3), 4.0)
    facet = Facet("word", "blocks.3", np.ones(3, np.float32), proportion(19, 20))
    beats = (proportion(90, 100), proportion(0, 100))
    made = Visualisation(images, (1.25, 0.0), beats, 2.5, facet, "pocket", "print")
    text = painting.status(made)
    assert "activation up to 1.25; the strongest of 100 built-in images has 2.50. Seed 9, 3 steps in 4 s." in text
    assert "Facet word: its probe is right on 95.0 %" in text
    assert painting.rows_of(made)[0][:2] == ["1", "1.25"]
    assert painting.rows_of(made)[0][2].startswith("90.0 % (")
    status, shown, file, rows = painting.screen(made, settings)
    assert (status, rows["value"]) == (text, painting.rows_of(made))
    assert shown["alt_text"] == "2 images painted for unit 7 of conv_head, after 3 steps"
    assert json.loads(png_text(Path(file["value"]).read_bytes(), "x.png", KEY) or "")["visualisation"]["seed"] == 9
    moving = Progress(1, 3, "steps", values={"activation": 0.5}, preview=np.zeros((4, 4, 3), np.uint8))
    assert "1 of 3 steps; activation 0.50. Seed 9." in painting.screen(moving, settings)[0]


def test_a_model_folder_joins_the_menu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_edit(tmp_path / "edited", units_edit("pocket", "conv_head", [ablate("conv_head", [1])]))
    rows, key = with_folder(str(tmp_path / "edited"))
    assert with_folder(str(tmp_path / "edited"), "::1")[1] == key
    with pytest.raises(BadInput, match="own machine"):
        with_folder(str(tmp_path / "edited"), "10.0.0.7")
    assert key == f"folder:{tmp_path / 'edited'}"
    assert rows[-1][1] == key
    assert len(rows) == len(choices()) + 1
    for path in ("", str(tmp_path), str(tmp_path / "nowhere")):
        with pytest.raises(BadInput):
            with_folder(path)
    monkeypatch.setenv("SPACE_ID", "someone/somewhere")
    with pytest.raises(BadInput, match="own machine"):
        with_folder(str(tmp_path / "edited"))


def test_units_are_read_and_refused() -> None:
    assert parse_units("3, 5 5,7", 10, "x") == (3, 5, 7)
    for text in ("", "a", "3;4", "-1", "10"):
        with pytest.raises(BadInput):
            parse_units(text, 10, "x")
    for value in (None, -1, 1.5):
        with pytest.raises(BadInput):
            read_unit(value)


def test_own_image_and_sentence(session: Session) -> None:
    text, drawn = try_image(session, str(sample_path("cat")), "last", unit=CAT)
    assert re.search("120[789] of the 1209", text)  # it is one of these itself, and the atlas rounds
    assert drawn.size == (112, 112)
    assert "more than 100 %" in try_sentence(session, "a photo of a cat.", "last", unit=CAT)
    assert "last layer" in try_sentence(session, "a cat", "blocks.0", unit=1)


def test_a_model_without_layers_says_so(engine: Engine, atlases: OpenAtlases) -> None:
    with engine.session("test", "fake") as session, pytest.raises(Unsupported, match="no layers"):
        atlases.ready(session, "last")


def test_html_that_markdown_leaves_alone() -> None:
    assert in_markdown("<p>\n\n    a\n  </p>\n") == "<p>\na\n</p>\n"


def test_the_map_names_units_and_its_rows_lead_to_them(session: Session, atlases: OpenAtlases) -> None:
    shown = unit_map(atlases.ready(session, "last"))
    assert shown.names[CAT] == "cat"
    assert shown.names[KOALA] == "koala"
    drawn = mapping.map_html(shown, "conv_head", by=mapping.FORM)
    assert f"unit {CAT}: cat" in drawn
    assert 'data-box="neurons-map-chosen"' in drawn
    assert f"Map of the {len(shown.names)} units" in drawn
    for by in (mapping.FORM, mapping.DENSITY):
        groups, order = mapping.groups_of(shown, by)
        assert set(groups) <= set(order)
        assert len(order) <= 9  # colours
    rows = mapping.map_rows(shown)
    assert len(rows) == mapping.ROWS
    assert rows[0][0] == str(int(shown.scores.argmax()))
    assert mapping._picked("12;1764195000000")[0] == 12
    with pytest.raises(gr.Error, match="Click a unit"):
        mapping._picked("")


def test_the_wall_begins_with_a_unit_whose_photo_drawing_and_word_agree(session: Session, atlases: OpenAtlases) -> None:
    survey = atlases.ready(session, "last").survey
    units = telling_units(survey, wall.SHOWN)
    assert len({one.concept for one in units}) == len(units) == wall.SHOWN
    first = units[0]
    for form in ("photo", "drawing", "word"):
        of_form = [place for place, item in enumerate(survey.items) if item.form == form]
        strongest = max(of_form, key=lambda place: survey.values[place, first.unit])
        assert survey.items[strongest].concept == first.concept
    html = wall.wall_html(units)
    assert html.count("<button") == wall.SHOWN
    assert html.index(f'data-value="{first.unit}"') < html.index(f'data-value="{units[1].unit}"')


def test_which_units_made_an_answer_in_a_layer_below(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    few = functools.partial(ConductanceRequest, steps=4)  # rough, and quick
    monkeypatch.setattr("apps.neurons.answers.ConductanceRequest", few)
    with engine.session("test", "pocket", deadline=240) as session:
        result = explain(session, str(sample_path("cat")), ("cat", "dog"), layer="blocks.5")
    total = sum(one.adds for one in result.speakers) + result.others + result.constant
    assert total == pytest.approx(result.difference, abs=2 * result.error + 1e-6)
    assert 1e-6 < result.error < 0.5
    assert "blurred copy" in summary(result, ("cat", "dog"), exact=False)


def test_rows_of_a_sparse_probe() -> None:
    row = SparseProbeRow((5, 9), (1.5, -0.25), proportion(9, 10), Interval(0.9, 0.8, 0.95, 0.95, "x"))
    probe = SparseProbe("cat", "conv_head", (row,), replace(row, units=(), weights=()), (0.4, 0.6), 20, 60, 20, 0)
    assert probing.probe_rows(probe) == [
        ["2", "90.0 % (55.5 to 99.7)", "0.90 (0.80 to 0.95)"],
        ["all", "90.0 % (55.5 to 99.7)", "0.90 (0.80 to 0.95)"],
        ["by chance", "50.0 % (40.0 to 60.0)", "–"],
    ]
    assert probing.unit_rows(probe, {9: "dog"}) == [["5", "–", "+1.50", "1"], ["9", "dog", "-0.25", "2"]]


def test_a_sparse_probe_takes_what_is_given_or_an_index_of_this_machine(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(SHARED, raising=False)
    for name in ("b", "a"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(8 if name == "b" else 4):
            Image.new("RGB", (40, 40), (20 * number, 90, 30)).save(tmp_path / "images" / name / f"{number}.png")
    with engine.session("test", "fake") as fake:
        list(add("mine", fake, [str(tmp_path / "images")]))
    images = probing.images_of("mine", "label")
    assert (images.classes, len(images.samples)) == (("a", "b"), 12)
    looked = LabelledUnits("x", np.zeros((12, 3), np.float32), images.classes, images.y, images.rows("train"), 0)
    assert probing.first_class(looked) == "b"  # most images
    assert probing.columns_of("mine")["choices"] == ["label"]
    assert probing.columns_of(probing.GIVEN)["visible"] == COLLAPSED
    drawings = probing.images_of(probing.GIVEN, "label")
    assert len(drawings.classes) == 8
    monkeypatch.setattr(probing, "MOST_IMAGES", 11)
    with pytest.raises(BadInput, match="At most 11 images"):
        probing.images_of("mine", "label")
    monkeypatch.setenv(SHARED, "1")  # others are served too: the machine's indexes are not theirs
    with pytest.raises(BadInput, match="offered"):
        probing.images_of("mine", "label")
    with pytest.raises(BadInput, match="offered"):
        probing.columns_of("mine")


def test_published_units_say_where_their_checkpoint_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.neurons.presets.hub.presence", lambda spec: Presence(False, "not here", 0))
    *_, message = presets.chosen("Spider-Man")
    assert "unit 550 of OpenAI CLIP RN50x4" in message
    assert "models --download open_clip:RN50x4/openai" in message
    assert "not here" in presets.info()
    monkeypatch.setattr("apps.neurons.presets.hub.presence", lambda spec: Presence(True, "here", 1))
    model, _, unit, _ = presets.chosen("Spider-Man")
    assert (model, unit) == ("open_clip:RN50x4/openai", 550)
    assert "not here" not in presets.info()


def test_a_dictionarys_features_open_as_units(session: Session, atlases: OpenAtlases, engine: Engine) -> None:
    with pytest.raises(BadInput, match="learn one first"):
        OpenAtlases().ready(session, "dictionary")
    atlas = atlases.ready(session, "last")
    settings = DictionarySettings(features=64, active=4, steps=15)
    *_, (dictionary, figures, images) = dictionaries.learned(session, atlas, settings)
    assert images == len(atlas.survey.items) // 5
    assert f"On {images} images held out" in dictionaries.measured_line(figures, images)
    made = dictionary_atlas(dictionary, atlas)
    codes = dictionary.encode(atlas.survey.embeddings)
    assert np.allclose(made.embedded, dictionary.decode(codes), atol=1e-5)
    atlases.keep(session, "dictionary", made)
    feature = int((codes > 0).sum(axis=0).argmax())
    *_, (status, page, *_) = unit_pages(session, atlases.steps(session, "dictionary"), feature, answer="")
    assert f"unit=dictionary/{feature}" in status
    assert "Names, with evidence" in page
    stopped = CancelToken()
    with engine.session("other", session.spec.key, token=stopped) as other:
        with pytest.raises(BadInput, match="learn one first"):
            atlases.ready(other, "dictionary")  # it is its visitor's alone
        stopped.cancel()
        with pytest.raises(Cancelled):
            list(dictionaries.learned(other, atlas, settings))


def test_rows_and_images_of_heads() -> None:
    from workbench.neurons.corpus import built_in

    texts = tuple(SpanText(f"<b>{n}", 0.1 * n, 0.05 * n, (0, 1)) for n in range(1, 5))
    span = HeadSpan(11, 3, 0.25, texts)
    assert heads.head_rows([span, HeadSpan(11, 4, 0.0, ())]) == [
        ["3", "0.2500", "<b>1, <b>2, <b>3", "30 %", "15 %"],
        ["4", "0.0000", "–", "–", "–"],
    ]
    assert heads.text_rows(span)[1] == ["<b>2", "20.0 %", "10.0 %"]
    drawn = heads.galleries(span, HeadSurvey(built_in()[:2], 11, np.zeros((2, 4, 3), np.float32)))
    assert "<b>" not in drawn
    assert "cat" in drawn


def test_a_layer_below_is_looked_at_in_parts(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.neurons.corpus import built_in

    some = built_in()[:70]
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr("workbench.neurons.corpus.built_in", lambda: some)
    pages = list(unit_pages(session, OpenAtlases().steps(session, "blocks.1"), 2, answer=""))
    assert "Strongest images so far" in pages[1][1]
    assert "Below the last layer" in pages[-1][1]
    assert list((tmp_path / "atlases").glob("*blocks.1.safetensors"))
