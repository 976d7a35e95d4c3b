"""Write the prior as a pipeline of diffusers: a table of its parts, safetensors, and the code of three classes."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput
from workbench.places import write_json

if TYPE_CHECKING:
    from workbench.generation.prior import Prior

TRAIN_TIMESTEPS = 960  # 16, 20, 24, 32, 48 … steps divide it: with these, the levels are those of `CosineSteps`


def export_prior(prior: Prior, folder: Path) -> None:
    """Write a new or empty folder; nothing half-written stays behind.

    Raises:
        BadInput: the folder holds something.
    """
    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"The prior is written into a new or empty folder; {folder.name!r} holds something.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _write(prior, made)
        made.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write(prior: Prior, folder: Path) -> None:
    import diffusers

    from workbench.generation.exported.decoder import PriorDecoder
    from workbench.generation.exported.denoiser import PriorDenoiser

    own, parts = prior.denoiser, prior.components
    blocks, width = len(own.wide), own.enter.out_features
    dim, components = own.condition.in_features, len(parts.scales)
    denoiser = PriorDenoiser(dim, components, width, blocks, TRAIN_TIMESTEPS)
    denoiser.load_state_dict(own.state_dict())
    decoder = PriorDecoder(components, math.isqrt(len(parts.mean) // 3), dim, prior.styles)
    decoder.load_state_dict({**vars(parts), "style_vectors": prior.style_vectors})
    denoiser.save_pretrained(folder / "denoiser")
    decoder.save_pretrained(folder / "decoder")
    kind: Any = diffusers.DDIMScheduler
    scheduler = kind(
        num_train_timesteps=TRAIN_TIMESTEPS, trained_betas=betas(), prediction_type="v_prediction", clip_sample=False,
        timestep_spacing="trailing", set_alpha_to_one=True,
    )  # fmt: skip
    scheduler.save_pretrained(folder / "scheduler")
    here = Path(__file__).parent
    for name, place in (("denoiser", folder / "denoiser"), ("decoder", folder / "decoder"), ("pipeline", folder)):
        shutil.copyfile(here / f"{name}.py", place / f"{name}.py")
    table = {
        "_class_name": ["pipeline", "PriorPipeline"],
        "_diffusers_version": diffusers.__version__,
        "denoiser": ["denoiser", "PriorDenoiser"],
        "decoder": ["decoder", "PriorDecoder"],
        "scheduler": ["diffusers", "DDIMScheduler"],
    }
    write_json(folder / "model_index.json", table)


def betas() -> list[float]:
    """The noise that each time step adds, so that signal and noise are those that the prior was trained with.

    Each is chosen for the product of those before it as float32 has it, so that roundings do not add up.
    """
    import torch

    from workbench.generation.prior import levels

    times = torch.arange(1, TRAIN_TIMESTEPS + 1, dtype=torch.float64) / TRAIN_TIMESTEPS
    wanted = levels(times)[0].square()
    rows, product = [], torch.tensor(1.0)
    for power in wanted:
        beta = torch.tensor(float(1 - power / product.double()), dtype=torch.float32)
        product = product * (1 - beta)
        rows.append(float(beta))
    return rows
