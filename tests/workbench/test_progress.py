"""Progress: rate and time left by hand, and the line that people read."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from workbench.progress import Progress


def test_rate_and_time_left_count_only_what_was_computed() -> None:
    report = Progress.timed(60, 100, "images", seconds=5.0, computed=10)  # 50 came from a cache
    assert report.rate == 2.0
    assert report.seconds_left == 20.0


@pytest.mark.parametrize(("seconds", "computed", "total"), [(0.0, 3, 9), (2.0, 0, 9)])
def test_without_a_measurement_there_is_no_rate(seconds: float, computed: int, total: int) -> None:
    report = Progress.timed(3, total, "images", seconds=seconds, computed=computed)
    assert (report.rate, report.seconds_left) == (0.0, None)


def test_an_unknown_total_leaves_no_time() -> None:
    assert Progress.timed(4, 0, "images", seconds=2.0, computed=4).seconds_left is None


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (Progress(12, 40, "images", rate=3.14, seconds_left=9.2), "12 of 40 images, 3.1 images/s, 0:09 left"),
        (Progress(1, 2, "steps"), "1 of 2 steps"),
        (Progress(7, 0, "files", rate=12.6), "7 files, 13 files/s"),
        (Progress(1, 2, "images", seconds_left=61.0), "1 of 2 images, 1:01 left"),
    ],
)
def test_the_line_says_what_is_known(report: Progress, line: str) -> None:
    assert report.line == line


def test_a_report_with_a_preview_goes_to_another_process() -> None:
    preview = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    back = pickle.loads(pickle.dumps(Progress(1, 2, "steps", values={"loss": 0.5}, preview=preview)))
    assert back.values == {"loss": 0.5}
    np.testing.assert_array_equal(back.preview, preview)
