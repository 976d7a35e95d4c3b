"""The measures find what is there, and nothing where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from scipy.stats import mannwhitneyu

from workbench.errors import BadInput
from workbench.training.pocket.quality import answers, measuring, units


def test_a_row_counts_where_its_truth_is_among_the_best() -> None:
    scores = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.4, 0.5, 0.1], [0.1, 0.2, 0.7]])
    truth = torch.tensor([0, 1, 0, 0])
    first = answers.counted("q", scores, truth, how="h")
    assert (first.share.value, first.share.n) == (0.25, 4)
    assert answers.counted("q", scores, truth, how="h", top=2).share.value == 0.75
    assert first.share.low == pytest.approx(1 - 0.975**0.25, abs=1e-6)  # Clopper-Pearson, 1 of 4, closed form
    assert first.share.high == pytest.approx(0.8059, abs=1e-4)  # from a table


def test_auroc_is_that_of_mann_and_whitney_ties_included() -> None:
    rows = torch.randint(0, 6, (40, 3), generator=torch.Generator().manual_seed(0)).float()
    positive = torch.arange(40) % 3 == 0
    got = units.auroc(rows, positive)
    for channel in range(3):
        high, low = rows[positive, channel].numpy(), rows[~positive, channel].numpy()
        want = mannwhitneyu(high, low).statistic / (len(high) * len(low))
        assert float(got[channel]) == pytest.approx(want, abs=1e-6)


def test_only_a_unit_that_answers_in_all_three_forms_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    names, forms = ("cat", "clock", "key", "tree"), 3
    pictures = {name: tuple([(name, form, k) for k in range(6)] for form in range(forms)) for name in names}
    monkeypatch.setattr(units, "_pictures", lambda apart: pictures)

    def features(given: list[tuple[str, int, int]]) -> torch.Tensor:
        generator = torch.Generator().manual_seed(len(given))
        rows = torch.rand(len(given), 4, generator=generator)
        for row, (name, form, _) in zip(rows, given, strict=True):
            row[0] += 2 * (name == "clock")  # planted: everywhere
            row[1] += (name == "cat") * (2 if form != 2 else 0.3)  # planted: hardly as a word
            row[2] += 2 * (form == 2)  # any word
        return rows

    class HeldOut:
        seed = 0

    result, chance = units.units(features, HeldOut())  # type: ignore[arg-type]
    assert [(unit.channel, unit.concept) for unit in result] == [(0, "clock")]
    assert (result[0].photo, result[0].drawing, result[0].word) == (1, 1, 1)
    assert chance == 0


def test_photos_without_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"labels\.csv"):
        measuring.labelled(tmp_path)


def test_the_table_says_shares_intervals_and_counts() -> None:
    row = answers.counted("reads", torch.eye(4), torch.arange(4), how="by hand")
    assert answers._table([row]).splitlines()[-1] == "| reads | 100.0 % | 39.8 to 100.0 % | 4 | by hand |"


def test_the_worst_of_the_three_forms_decides() -> None:
    truth = torch.tensor([0] * 5 + [1] * 5)
    good = torch.cat([torch.full((5, 1), 2.0), torch.zeros(5, 1)])
    hardly = torch.tensor([2.0, 2, 2, 1, 0, 1, 1, 0, 0, 0])[:, None]  # (15 + 4 + 1.5) / 25 = 0.82, by hand
    assert float(units.auroc(hardly, truth == 0)) == pytest.approx(0.82)
    names = ["cat", "key"]
    assert len(units._passing([good, good, good], [truth] * 3, names)) == 1
    assert units._passing([good, good, hardly], [truth] * 3, names) == []
