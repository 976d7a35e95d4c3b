"""A bundle on the shipped model: equal to one by one, bad pictures fail alone, stopping stops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from workbench.batch.run import classify_samples
from workbench.datasets.uploads import read_uploads
from workbench.errors import BadInput
from workbench.loading.torch_backend import TorchBackend
from workbench.zeroshot import classify

LABELS = ("cat", "dog", "coffee cup", "rocket")


def test_rows_equal_single_answers_and_bad_pictures_fail_alone(
    pocket: TorchBackend, photos: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    files = [photos / "chelsea.png", broken, photos / "rocket.jpg", tmp_path / "gone.png", photos / "coffee.png"]
    steps = list(classify_samples(pocket, read_uploads(files).samples, LABELS))
    rows = [row for step in steps for row in step.rows]
    assert [(step.done, step.total) for step in steps] == [(5, 5)]
    assert [bool(row.error) for row in rows] == [False, True, False, True, False]
    assert "broken.png" in rows[1].error
    for row, file in zip(rows, files, strict=True):
        if not row.error:
            alone = classify(pocket, [file], LABELS).ranked(0)
            assert [label for label, _, _ in row.ranked] == [label for label, _, _ in alone]
            assert row.ranked[0][1] == pytest.approx(alone[0][1], abs=1e-4)


def test_work_is_done_a_few_at_a_time_and_ends_when_nobody_listens(
    pocket: TorchBackend, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request: list[int] = []
    real = type(pocket).embed_images

    def counted(self: TorchBackend, images: Sequence[Path]) -> object:
        request.append(len(images))
        return real(self, images)

    monkeypatch.setattr(type(pocket), "embed_images", counted)
    steps = classify_samples(pocket, read_uploads([photos / "chelsea.png"] * 20).samples, LABELS)
    assert next(steps).done == 16
    steps.close()  # type: ignore[attr-defined]
    assert request == [16]


def test_no_label_is_refused_before_a_picture_is_read(pocket: TorchBackend) -> None:
    with pytest.raises(BadInput, match="label"):
        next(classify_samples(pocket, read_uploads(["gone.png"]).samples, []))
