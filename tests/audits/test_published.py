"""Published numbers: each has a source, tables of the CLIP paper add up, and where none stands it is said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audits.catalogue import AUDITS, read_protocol
from audits.protocol import Protocol, Published
from audits.published import with_published
from workbench.checkpoints import checkpoints
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import number, share

EVERY = [(audit.key, name) for audit in AUDITS.values() for name in audit.protocols]
AVERAGES = {  # table 5's last column, as printed
    ("linear probe", "Male"): 0.972,
    ("linear probe", "Female"): 0.978,
    ("linear probe", None): 0.975,
    ("zero-shot", "Male"): 0.969,
    ("zero-shot", "Female"): 0.970,
}


def _values(rules: Protocol, metric: str, **slice: str | None) -> list[float]:
    wanted = {name: value for name, value in slice.items() if value is not None}
    absent = [name for name, value in slice.items() if value is None]
    return [
        row.value
        for row in rules.published
        if row.metric == metric
        and all(row.slice.get(name) == value for name, value in wanted.items())
        and not any(name in row.slice for name in absent)
    ]


@pytest.mark.parametrize(("audit", "name"), EVERY)
def test_each_protocol_quotes_sources_or_says_that_there_are_none(audit: str, name: str) -> None:
    rules = read_protocol(audit, name)
    message = "no published number applies" in " ".join(rules.notes.split()).lower()
    assert bool(rules.published) != message
    assert all(row.source and row.model for row in rules.published)


@pytest.mark.parametrize(("way", "gender"), AVERAGES)
def test_table_5_averages_as_printed(way: str, gender: str | None) -> None:
    rules = read_protocol("bias/face-attributes", "clip-2021")
    rows = _values(rules, "accuracy.gender", label_set=f"gender, {way}", gender=gender, white=None)
    assert len(rows) == 7
    assert np.mean(rows) == pytest.approx(AVERAGES[way, gender], abs=0.001)  # the paper rounds each number


def test_table_5_lies_between_its_genders() -> None:
    rules = read_protocol("bias/face-attributes", "clip-2021")
    races = {row.slice["race"] for row in rules.published if "race" in row.slice}
    for way, race in itertools.product(("linear probe", "zero-shot"), races):
        here = {"label_set": f"gender, {way}", "race": race}
        (male,), (female,), (both,) = (
            _values(rules, "accuracy.gender", **here, gender=gender) for gender in ("Male", "Female", None)
        )
        assert min(male, female) - 0.001 <= both <= max(male, female) + 0.001


def test_child_takes_labels_from_children() -> None:
    """Table 7: with the label `child`, rates of 0 to 9 years fall by more than ten times those of 20 and above."""
    rules = read_protocol("bias/denigration", "clip-2021")

    def fall(age: str) -> float:
        before, after = (_values(rules, "rate.any", age=age, label_set=name)[0] for name in ("default", "with child"))
        return before - after

    assert min(fall(age) for age in ("0-2", "3-9")) > 10 * max(fall(age) for age in ("20-29", "30-39", "50-59"))


def test_surveillance_numbers_add_up() -> None:
    """91.8 right, 51.1 under stress, 40.7 to the close caption: what is left is the coarse error, 8.2."""
    rules = read_protocol("surveillance/scenes", "captions")
    coarse = _values(rules, "accuracy", label_set="coarse")[0]
    stress = _values(rules, "accuracy", label_set="stress")[0]
    (close,) = _values(rules, "close_confusion", label_set="stress")
    assert 1 - stress - close == pytest.approx(1 - coarse)


def test_the_line_stands_on_the_same_seven_models_everywhere() -> None:
    points = read_protocol("shift/natural", "imagenet").settings["baseline_points"]
    assert len(points) == 7
    assert {tuple(point["model"] for point in shift) for shift in points.values()} == {
        ("mnasnet0_5", "resnet34", "vgg16_bn", "mnasnet1_0", "bninception", "wide_resnet50_2", "se_resnet152")
    }
    whole = [[point["base"] for point in points[name]] for name in ("imagenet-v2", "imagenet-sketch")]
    assert whole[0] == whole[1]  # both hold all thousand classes


@pytest.mark.parametrize(
    ("model", "value", "source"),
    [
        ("openai/clip-vit-base-patch32", 0.5577, "ViT-B/32 (openai)"),
        ("openai/clip-vit-large-patch14-336", 0.7010, "ViT-L/14-336 (openai)"),
        ("pocket", 0.5577, "ViT-B/32 (openai)"),  # no row of its own: the first one, and its model is named
    ],
)
def test_the_measured_models_own_row_stands_beside_its_number(model: str, value: float, source: str) -> None:
    rows = read_protocol("shift/natural", "imagenet").published
    measure = share("accuracy", 7, 10, slice={"style": "imagenet-v2"}, label_set="imagenet-v2")
    (result,) = with_published([measure], rows, model)
    assert result.published_value == value
    assert result.published_source.startswith(source)


def test_a_published_number_is_about_its_slice_and_never_about_a_gap_or_change() -> None:
    entries = [
        Published(metric="accuracy", slice={"label_set": "all"}, value=0.9, model="m", source="s"),
        Published(metric="accuracy", slice={"label_set": "all"}, value=0.1, model="later", source="s"),
        Published(metric="mce", value=1.0, model="unit", source="s"),
    ]
    nothing = Interval(0.5, None, None, 0.95, "by hand")
    measures = [
        share("accuracy", 1, 2, label_set="all"),
        share("accuracy", 1, 2, label_set="some"),
        share("accuracy", 1, 2, label_set="all", slice={"light": "grey"}),
        number("accuracy", nothing, label_set="all", contrast="between_groups"),
        number("accuracy", nothing, label_set="all", contrast="paired"),
        number("mce", nothing, label_set="any"),  # a row without a label set is about every one
    ]
    result = with_published(measures, entries, "fake")
    assert [one.published_value for one in result] == [0.9, None, None, None, None, 1.0]
    assert result[0].published_source == "m: s"


@pytest.mark.parametrize(("audit", "name"), EVERY)
def test_published_rows_name_models_of_the_catalogue(audit: str, name: str) -> None:
    known = {one.key for one in checkpoints()}
    assert all(row.key in known for row in read_protocol(audit, name).published if row.key)
