"""A training of the prior that begins from a finished one has its weights and its components."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from workbench.generation.prior import load_prior
from workbench.generation.settings import PRIOR_FOLDER
from workbench.training.prior import making
from workbench.training.prior.material import DrawingSet


def _drawings() -> DrawingSet:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (400, 3, 64, 64), generator=generator).to(torch.uint8)
    rows, styles = torch.randn(400, 384, generator=generator).half(), torch.zeros(400, dtype=torch.long)
    return DrawingSet(pictures, rows, rows, torch.arange(401), styles, tuple(f"drawing {n}" for n in range(400)))


def test_a_finished_prior_in_the_folder_is_the_beginning(tmp_path: Path) -> None:
    shipped = load_prior()
    (tmp_path / "work").mkdir()
    shutil.copytree(PRIOR_FOLDER, tmp_path, dirs_exist_ok=True)
    state = making._begin(_drawings(), tmp_path)
    for name, part in shipped.denoiser.state_dict().items():
        torch.testing.assert_close(state.denoiser.state_dict()[name], part)
        torch.testing.assert_close(state.average.state_dict()[name], part)
    torch.testing.assert_close(state.components.vectors, shipped.components.vectors)
    again = making._begin(_drawings(), tmp_path)  # as a stopped training finds it
    torch.testing.assert_close(again.components.vectors, shipped.components.vectors)


def test_an_empty_folder_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    state = making._begin(_drawings(), tmp_path)
    assert not state.denoiser.leave.weight.detach().any()
    assert not torch.equal(state.components.vectors, load_prior().components.vectors)
