"""The Evaluate view without a browser: what is read, sentences and tables, settings answered from what is known."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

import apps.evaluate as view
from apps.evaluate import adapter_figures, adapters, certainty, paper, prompts, report, suspects, sweep, words
from apps.evaluate.data import of_classes, ways_of
from apps.shared import labelled_images as data
from apps.shared import suite_charts
from apps.shared.audit_jobs import run_jobs
from apps.shared.folder_box import SLASH
from apps.shared.run_downloads import run_files
from audits.datasets import moved_drawings
from audits.run_directory.reader import Run
from workbench.datasets import ImageSample
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.probes.adapting import adaptations, planes
from workbench.probes.choosing import standings
from workbench.probes.duplicates import Duplicate
from workbench.probes.embedding import ImageFeatures
from workbench.probes.evaluation import PROBE, ZERO_SHOT, Answered, ModelEvaluation, Ways
from workbench.probes.label_errors import Suspect
from workbench.probes.labelled import LabelledImages, labelled
from workbench.probes.linear import probe
from workbench.probes.prompt_search import PromptTrial
from workbench.probes.sets import conformal_sets
from workbench.probes.shifts import ShiftedFeatures
from workbench.probes.strength import Sweep
from workbench.probes.suite.plots import SetRun
from workbench.probes.suite.plots import duels as duels_of
from workbench.probes.table import EmbeddedImages, EvaluationRequest, answers, only_classes, with_answers
from workbench.probes.text_weights import TextWeights
from workbench.probes.unknown import flags
from workbench.progress import Progress
from workbench.scheduler import CancelToken
from workbench.statistics.intervals import Interval, proportion


def row(model: str, right: list[int], **more: object) -> ModelEvaluation:
    share = proportion(sum(right), len(right))
    one = Answered(share, np.array(right, float))
    return ModelEvaluation(model, model.title(), {ZERO_SHOT: one, PROBE: one}, **more)  # type: ignore[arg-type]


def test_the_drawings_have_classes_parts_and_a_few_wrong_labels() -> None:
    images = labelled(data.drawings())
    assert len(images.classes) == 8
    assert len(images.samples) == 8 * moved_drawings.EACH
    wrong = [one.name for one in images.samples if not one.name.split("/")[1].startswith(one.name.split("/")[0])]
    assert len(wrong) == data.WRONG
    assert images.samples[0].open().size == (moved_drawings.SIDE, moved_drawings.SIDE)


def test_an_uploaded_folder_keeps_parts_and_classes(tmp_path: Path) -> None:
    pairs = []
    for number, name in enumerate([f"top/{part}/{one}/x.png" for part in ("train", "test") for one in "ab"] * 4):
        file = tmp_path / f"{number}.png"
        Image.new("RGB", (4, 4)).save(file)
        pairs.append((str(file), name.replace("x.png", f"{number}.png").replace("/", SLASH)))
    images = labelled(data.given(pairs))
    assert images.classes == ("a", "b")
    assert images.given == ("train", "test")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as bundle:
        for file, name in pairs:
            bundle.write(file, name.replace(SLASH, "/"))
    zipped = [(str(tmp_path / "mine.zip"), "mine.zip")]
    assert [one.label for one in data.given(zipped).samples] == [one.label for one in data.given(pairs).samples]
    with pytest.raises(BadInput, match="got 2 zips"):
        data.given(2 * zipped)
    with pytest.raises(BadInput):
        data.given([(pairs[0][0], "../x.png")])


def test_the_sentence_names_the_best_and_those_that_cannot_be_told_from_it() -> None:
    good, even, bad = [1] * 90 + [0] * 10, [1] * 89 + [0] * 11, [0] * 100
    rows = [row("good", good), row("even", even), row("bad", bad), ModelEvaluation("x", "Gone", dropped="dropped")]
    order = standings({one.model: one.answers[PROBE].right for one in rows[:3]})
    text = words.verdict(rows, order, PROBE)
    assert text.startswith("**Good**: 90.0 % (82.6 to 94.5) by probe.")
    assert "Not distinguishable from it: Even." in text
    lines = words.table_rows(rows, order, PROBE)
    header = words.headers(rows)
    assert all(len(line) == len(header) for line in lines)
    assert lines[3][header.index("verdict")] == "dropped"
    assert lines[2][header.index("difference to the best")].startswith("−90.0")
    table = list(csv.reader(io.StringIO(words.as_csv(rows, order).decode())))
    assert table[0] == list(words.CSV_COLUMNS)
    assert len(table) == 1 + 6
    assert words.columns([ModelEvaluation("m", "m", dict.fromkeys(("probe", "16 shots", "2 shots", "zero-shot")))]) == [  # type: ignore[arg-type]
        "zero-shot",
        "2 shots",
        "16 shots",
        "probe",
    ]


def test_models_are_measured_one_after_the_other_and_settings_are_answered_from_what_is_known() -> None:
    images = labelled(data.drawings())
    ways = Ways(shots=(1,), seeds=2)
    with Engine(default="fake") as engine:
        steps = list(view.measuring(engine, EvaluationRequest(images, ("fake",), ways), owner="test"))
    known = steps[-1]
    assert isinstance(known, EmbeddedImages)
    assert isinstance(steps[0], Progress)
    rows = [step for step in steps if isinstance(step, ModelEvaluation)]
    assert list(rows[-1].answers) == [ZERO_SHOT, "1 shot", PROBE]
    lasting = with_answers(known, {"fake": rows[-1]})
    last = list(answers(lasting, Ways(shots=(1, 4, 16), seeds=2, seed=7)))[-1]
    assert set(last.answers) == {ZERO_SHOT, "1 shot", "4 shots", "16 shots", PROBE}
    assert last.answers[PROBE] is rows[-1].answers[PROBE]
    few = only_classes(lasting, images.classes[:3])
    assert few.images.classes == images.classes[:3]
    chances = few.texts["fake"].probabilities(few.made["fake"].embeddings)
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(few.images.samples)))
    assert few.rows["fake"].answers == {}
    with pytest.raises(BadInput, match="at least two"):
        only_classes(lasting, images.classes[:1])


def test_other_shots_seeds_and_classes_are_answered_within_a_second() -> None:
    """The first screen after a change, for features as wide as the shipped model's."""
    images = labelled(data.drawings())
    rng = np.random.default_rng(0)
    features = (np.eye(8, 1280)[images.y] * 3 + rng.random((len(images.y), 1280))).astype(np.float32)
    texts = TextWeights(np.eye(8, 1280, dtype=np.float32), 10.0)
    rows = {"m": row("m", [1, 0, 1, 1])}
    known = EmbeddedImages(images, {"m": ImageFeatures(features, features, {}, 1.0)}, {"m": texts}, rows)
    for part in (known, only_classes(known, images.classes[:5])):
        began = time.process_time()
        steps = answers(part, Ways(shots=(4,), seeds=10, seed=3))
        next(steps)
        if part is known:
            assert "4 shots" in next(steps).answers
        assert time.process_time() - began < 1.0


def test_the_sweep_is_a_curve_and_a_table_with_the_chosen_penalty_marked() -> None:
    first = Sweep(((1e-6, 0.5), (1e-2, 0.75), (1.0, 0.75)), 1.0)
    second = Sweep(((1e-6, 0.25), (1e-2, 1.0)), 1e-2)
    rows = [
        replace(one, answers={PROBE: replace(one.answers[PROBE], sweep=swept)})
        for one, swept in ((row("a", [1, 0]), first), (row("b", [1, 0]), second))
    ]
    chart, lines = sweep.screen(rows).values()
    assert lines["headers"] == ["penalty", "A", "B"]
    assert lines["value"] == [
        ["1e-06", "50.0 %", "25.0 %"],
        ["0.01", "75.0 %", "100.0 % (chosen)"],
        ["1", "75.0 % (chosen)", ""],
    ]
    traces = chart["value"].data
    assert [list(trace.y) for trace in traces] == [[0.5, 0.75, 0.75], [0.75], [0.25, 1.0], [1.0]]
    assert chart["value"].layout.xaxis.type == "log"
    assert sweep.screen([row("c", [1, 0])]) == {"curve": gr.skip(), "penalties": gr.skip()}


def test_a_seed_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadInput, match="whole number"):
        ways_of([1], 2, None)


def test_the_report_has_the_test_images_of_the_table_and_the_chosen_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    images = labelled(data.drawings())
    request = EvaluationRequest(images, ("fake",), Ways(shots=(1,), seeds=2))
    with Engine(default="fake") as engine:
        known = list(view.measuring(engine, request, owner="test"))[-1]
        assert isinstance(known, EmbeddedImages)
        part = of_classes(known, images.classes[:3])
        (job,) = report.report_jobs(part, request.ways)
        steps = list(run_jobs(engine, [job], tmp_path, owner="test", token=CancelToken(), own_images=True))
    run = Run(steps[-1].run or Path())
    zero = run.metrics.query("metric == 'accuracy' and label_set == 'zero-shot'").iloc[0]
    assert part is not None
    test = part.images.rows("test")
    right = part.texts["fake"].probabilities(part.made["fake"].embeddings[test]).argmax(axis=1) == part.images.y[test]
    assert (zero["n"], zero["value"]) == (test.sum(), pytest.approx(right.mean()))
    files = run_files([run])
    assert f"1 model, {len(part.images.samples)} images" in report.summary([run], [], files)
    assert "WeasyPrint" in report.summary([run], [], replace(files, no_pdf="WeasyPrint is not installed"))
    assert str(tmp_path) not in files.page.read_text(encoding="utf-8")
    with pytest.raises(BadInput, match="Evaluate first"):
        report.report_jobs(None, request.ways)
    with pytest.raises(BadInput, match="text tower"):
        report.report_jobs(replace(known, texts={}), request.ways)


def listed() -> suspects.SuspectList:
    samples = tuple(ImageSample(f"{part}/<b>{number}.png", Path("x")) for number, part in enumerate(["a", "b"] * 3))
    images = LabelledImages(
        samples, ("a", "b"), np.array([0, 1] * 3), np.array(["train"] * 4 + ["validation", "test"]), (), 0
    )
    return suspects.SuspectList(images, (Suspect(0, 0, 1, 0.9), Suspect(3, 1, 0, 0.8)), (Duplicate(0, 5, 1.0),), {})


def test_decisions_change_the_exported_label_and_move_on() -> None:
    one = listed()
    shown, _, chosen, after = suspects._decider(suspects.FIX)(one, 0)
    assert after.decisions == {0: "fix"}
    assert chosen["value"] == 1
    assert shown["value"][0][-1] == "fix"
    *_, after = suspects._decider(suspects.SKIP)(after, 1)
    table = list(csv.DictReader(io.StringIO(suspects.as_csv(after).decode())))
    assert [line["label"] for line in table] == ["b", ""]
    with pytest.raises(gr.Error, match="Choose a suspect"):
        suspects._decider(suspects.KEEP)(None, None)


def test_the_summary_names_leaks_and_shows_names_as_they_are() -> None:
    text = suspects.summary(listed())
    assert "**2 of 6** labels are suspect" in text
    assert "**1 join train and test**" in text
    assert "<b>" not in text.replace("\\<b\\>", "")


def test_planted_wrong_labels_are_found_among_the_drawings() -> None:
    images = labelled(data.drawings())
    rng = np.random.default_rng(0)
    true = np.array([list(moved_drawings.DRAWN).index(one.name.split("/")[1].split("-")[0]) for one in images.samples])
    features = (np.eye(8, 30)[true] * 4 + rng.normal(size=(len(true), 30))).astype(np.float32)
    made = ImageFeatures(features / np.linalg.norm(features, axis=1, keepdims=True), features, {}, 1.0)
    result = suspects.search(EmbeddedImages(images, {"m": made}), "m")
    first = [one.number for one in result.suspects[: data.WRONG]]
    names = [images.samples[number].name for number in first]
    assert sum(name.split("/")[1].split("-")[0] != name.split("/")[0] for name in names) == data.WRONG


@pytest.fixture(scope="module")
def known() -> EmbeddedImages:
    images = labelled(data.drawings())
    rng = np.random.default_rng(0)
    rows = np.eye(8, 32)[images.y] + 0.15 * rng.normal(size=(len(images.y), 32))
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    texts = TextWeights(np.eye(8, 32, dtype=np.float32), 10.0)
    return EmbeddedImages(images, {"m": ImageFeatures(unit, unit, {}, 1.0)}, {"m": texts}, {"m": row("m", [1, 0])})


def test_methods_have_a_row_each_and_a_sentence(known: EmbeddedImages) -> None:
    plan = adapters._plan(["image-probe", "clap", "tip-adapter-f"], [4, 1], 2, 0)
    shift = known.made["m"]
    elsewhere = ShiftedFeatures("elsewhere", shift, known.images.y)
    *_, result = adaptations(known, plan, {"m": (elsewhere,)})
    titled = adapters._titled(known, {"m": result})
    drawn = planes(titled, seed=0)
    lines = adapters.rows(titled, drawn)
    header = adapters._headers(titled)
    assert all(len(line) == len(header) for line in lines)
    assert header[4:6] == ["elsewhere", "effective robustness, elsewhere"]
    assert [line[1] for line in lines[:4]] == ["Zero-shot", "Probe of images alone", "CLAP", "Tip-Adapter-F"]
    assert sum(line[1].startswith("WiSE-FT") for line in lines) == 11
    text = adapters.summary(titled)
    assert text.startswith("**M**:")
    assert "Labelled images a class that zero-shot is worth" in text
    table = list(csv.reader(io.StringIO(adapters.as_csv(titled, drawn).decode())))
    assert len(table) == 1 + len(lines)
    assert "test set" in adapters.EXPLAINED
    with pytest.raises(BadInput, match="at least one"):
        adapters._plan([], [1], 2, 0)
    for figure in (adapter_figures.shots_figure(titled), adapter_figures.mixes_figure(titled)):
        assert len(figure.data) in (4, 2)
    assert "elsewhere" in str(adapter_figures.plane_figure(drawn[0]).layout.yaxis.title.text)


def test_methods_look_different_without_colour() -> None:
    looks = adapter_figures.LOOKS.values()
    assert len({look[1:] for look in looks}) == len(looks)


def test_sets_and_flags_have_a_row_for_each_method(known: EmbeddedImages) -> None:
    result = probe(known.made["m"].features, known.images)
    sets = certainty.sets_rows("M", conformal_sets(result.probabilities, known.images), known.images.classes)
    assert [line[1] for line in sets] == ["lac", "aps", "raps"]
    assert all(len(line) == len(certainty.SET_HEADERS) for line in sets)
    lines = certainty.flags_rows("M", flags(known.made["m"], known.images, known.texts["m"]))
    assert lines[0][1] == "mcm"
    assert all(len(line) == len(certainty.FLAG_HEADERS) for line in lines)


def test_the_papers_figures_count_wins_and_show_published_probes() -> None:
    good, bad = [1] * 90 + [0] * 10, [1] * 50 + [0] * 50
    rows = (row("a", good), row("b", bad))
    runs = [SetRun("food101", rows), SetRun("<b>own</b>", rows)]
    duels = duels_of(runs, "a", "b")
    assert paper.summary(duels, [], []) == "Zero-shot is higher on **2 of 2** data sets, beyond chance on 2."
    lines = paper.rows(duels)
    assert "base-patch32 88.8" in lines[0][-1] + lines[1][-1]
    assert "&lt;b&gt;" in str(suite_charts.duels_figure(duels).layout.yaxis.ticktext)


def test_a_trial_of_prompts_is_one_line() -> None:
    trial = PromptTrial("best 2 of them", ("a {}", "b {}"), proportion(9, 10), Interval(0.1, 0.0, 0.2, 0.95, ""), 0.01)
    assert len(prompts.row("M", trial)) == len(prompts.HEADERS)
    assert prompts.row("M", trial)[3:] == ["+10.0 (+0.0 to +20.0)", "1.0"]
