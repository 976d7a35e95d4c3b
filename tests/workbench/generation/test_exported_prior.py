"""The prior as a folder of diffusers: the same network, the same levels, the same images, loaded by diffusers alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from workbench.errors import BadInput
from workbench.generation.diffusion import CosineSteps
from workbench.generation.diffusion.sources import Conditions, PriorSource, predictor
from workbench.generation.exported import export_prior
from workbench.generation.prior import Prior, load_prior


@pytest.fixture(scope="module")
def prior() -> Prior:
    return load_prior()


@pytest.fixture(scope="module")
def pipeline(prior: Prior, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from diffusers import DiffusionPipeline
    from diffusers.utils import dynamic_modules_utils

    folder = tmp_path_factory.mktemp("exported") / "prior"
    export_prior(prior, folder)
    with pytest.MonkeyPatch.context() as patch:
        modules = folder.parent / "modules"
        patch.setattr(dynamic_modules_utils, "HF_MODULES_CACHE", str(modules))
        patch.syspath_prepend(str(modules))
        return DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)


def test_every_part_is_loaded_by_diffusers_and_the_network_is_the_same(prior: Prior, pipeline: Any) -> None:
    from diffusers import DDIMScheduler, DiffusionPipeline, ModelMixin

    assert isinstance(pipeline, DiffusionPipeline)
    assert isinstance(pipeline.scheduler, DDIMScheduler)
    assert isinstance(pipeline.denoiser, ModelMixin)
    assert not type(pipeline.denoiser).__module__.startswith("workbench")
    generator = torch.Generator().manual_seed(0)
    noisy, conditions = (torch.randn(3, 384, generator=generator) for _ in range(2))
    for step in (959, 479, 59):
        theirs = pipeline.denoiser(noisy, step, conditions)
        ours = prior.denoiser(noisy, torch.full((3,), (step + 1) / 960), conditions)
        torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=0)
    torch.testing.assert_close(pipeline.decoder(noisy), prior.components.decode(noisy), atol=1e-5, rtol=0)


@pytest.mark.parametrize("count", [8, 16])
def test_the_schedulers_levels_and_images_are_those_of_the_workbench(prior: Prior, pipeline: Any, count: int) -> None:
    scheduler, steps = pipeline.scheduler, CosineSteps(count)
    scheduler.set_timesteps(count)
    theirs = [float(scheduler.alphas_cumprod[time]) for time in scheduler.timesteps]
    assert theirs == pytest.approx([steps.levels(at)[0] ** 2 for at in range(count)], rel=1e-5)
    generator = torch.Generator().manual_seed(1)
    rows = torch.nn.functional.normalize(torch.randn(2, 384, generator=generator), dim=1)
    values = torch.randn(2, 384, generator=torch.Generator().manual_seed(2))
    embedded = prior.condition(rows, [prior.styles.index("google")] * 2)
    predict = predictor(PriorSource(prior), Conditions((embedded,), torch.zeros_like(embedded), torch.ones(1), 3.0))
    with torch.no_grad():
        for at in range(count):
            output = predict(values, steps.time(at))
            clean = steps.clean(output, values, at)
            values = steps.advance(output, values, at=at, generator=generator)
    made = pipeline(
        rows, style="google", num_inference_steps=count, generator=torch.Generator().manual_seed(2), output_type="pt"
    ).images
    torch.testing.assert_close(made, prior.components.decode(clean), atol=1e-4, rtol=0)


def test_a_folder_that_holds_something_is_left_alone(prior: Prior, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something"):
        export_prior(prior, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
