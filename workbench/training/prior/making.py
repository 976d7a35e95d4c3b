"""From artwork to the prior's folder; stopped at any moment, the same call goes on."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from workbench.errors import BadInput
from workbench.generation.prior import NEAREST, Components, Denoiser, Prior, conditioned, levels, load_prior
from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.order import Order
from workbench.training.prior.material import STYLES, DrawingSet, material

_STEPS, _BATCH, _RATE, _WARMUP = 12_000, 192, 1.5e-3, 100
_DECAY = 0.4  # of the steps, in which the rate falls to zero
_NULL, _NO_STYLE = 0.12, 0.25
_IMAGE = 0.35  # of conditions that are an image's embedding; the others are a sentence's
_NOISE = 0.35  # longest that is added to an embedding of length 1
_EMA = 0.995
_SAVE = 60.0  # seconds between two checkpoints


@dataclass
class _State:
    """Everything that a checkpoint holds."""

    denoiser: Denoiser
    average: Denoiser  # the exponential moving average, which is what is shipped
    optimiser: torch.optim.Optimizer
    components: Components
    style_vectors: Tensor
    known: Tensor  # (m, 96): of the drawings, what `Prior.nearest` compares with
    names: tuple[tuple[str, str], ...]
    done: int = 0
    seconds: float = 0.0

    def save(self, folder: Path) -> None:
        parts: dict[str, Any] = {
            "denoiser": self.denoiser,
            "average": self.average,
            "optimiser": self.optimiser,
        }
        states = {name: part.state_dict() for name, part in parts.items()}
        checkpoints.save(folder, self.done, {**states, "done": self.done, "seconds": self.seconds})

    def restore(self, checkpoint: Path) -> None:
        states = checkpoints.load(checkpoint)
        self.denoiser.load_state_dict(states["denoiser"])
        self.average.load_state_dict(states["average"])
        self.optimiser.load_state_dict(states["optimiser"])
        self.done, self.seconds = states["done"], states["seconds"]

    def export(self, folder: Path, record: dict[str, object]) -> None:
        record = {**record, "steps": self.done, "seconds": round(self.seconds), "batch": _BATCH}
        Prior(self.average, self.components, STYLES, self.style_vectors, self.known, self.names, record).save(folder)


def make(order: Order, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Make the prior in `order.out`; see `workbench.training.prior.train`."""
    from workbench.loading import load

    if order.data is None:
        raise BadInput("The prior's recipe needs artwork: --data FOLDER, a node_modules with the npm packages.")
    seed, steps = order.seed or 0, order.steps or _STEPS
    torch.manual_seed(seed)
    model, work = load(order.model or "pocket"), order.out / "work"
    drawn = material(Path(order.data), model, work / "material.npz")
    state, folder = _begin(drawn, order.out), work / "checkpoints"
    if checkpoint := checkpoints.latest(folder):
        state.restore(checkpoint)
    values = torch.cat([state.components.encode(part) for part in torch.split(drawn.pictures, 1024)])
    generator = torch.Generator().manual_seed(seed * 1_000_003 + state.done)
    record = {"steered_by": model.fingerprint, "model": model.spec.key, "pictures": len(values), "seed": seed}
    saved, last, first, before = time.monotonic(), time.monotonic(), state.done, state.seconds
    while state.done < steps:
        loss = _step(state, drawn, values, behind=state.done / steps, generator=generator)
        now = time.monotonic()
        state.done, state.seconds, last = state.done + 1, state.seconds + now - last, now
        row = Progress.timed(
            state.done, steps, "steps", seconds=state.seconds - before, computed=state.done - first, stage="prior"
        )
        yield Progress(row.done, steps, "steps", "prior", row.rate, row.seconds_left, {"loss": loss})
        if now - saved > _SAVE or stopped() or state.done == steps:
            state.save(folder)
            state.export(order.out, record)
            saved = time.monotonic()
        if stopped():
            return


def _begin(drawn: DrawingSet, out: Path) -> _State:
    """The state before the first step; a prior that lies in `out` already gives its weights and components."""
    dim, keep = drawn.image_rows.shape[1], out / "work" / "components.safetensors"
    denoiser = Denoiser(dim)
    if keep.exists():
        components = Components(**load_file(keep))
    else:
        earlier = load_prior(out) if (out / "config.json").exists() else None
        if earlier is not None:
            denoiser.load_state_dict(earlier.denoiser.state_dict())
        components = earlier.components if earlier is not None else Components.fit(drawn.pictures)
        half = keep.with_suffix(".part")
        save_file({name: value.contiguous() for name, value in vars(components).items()}, half)
        half.rename(keep)
    vectors, _ = torch.linalg.qr(torch.randn(dim, len(STYLES), generator=torch.Generator().manual_seed(7)))
    average = copy.deepcopy(denoiser).requires_grad_(False)
    optimiser = torch.optim.AdamW(denoiser.parameters(), lr=_RATE, betas=(0.9, 0.98), weight_decay=1e-2)
    known = (components.encode(drawn.pictures) * components.scales)[:, :NEAREST]
    names = tuple((name, STYLES[style]) for name, style in zip(drawn.names, drawn.styles.tolist(), strict=True))
    return _State(denoiser, average, optimiser, components, vectors.T.contiguous(), known, names)


def _draw(state: _State, drawn: DrawingSet, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw pictures' numbers (batch,) and a condition for each, (batch, dim): an image's embedding or a sentence's."""

    def chance() -> Tensor:
        return torch.rand(_BATCH, generator=generator)

    at = torch.randint(len(drawn.styles), (_BATCH,), generator=generator)
    first, after = drawn.first[at], drawn.first[at + 1]
    text = first + (chance() * (after - first)).long()
    rows = torch.where((chance() < _IMAGE)[:, None], drawn.image_rows[at].float(), drawn.text_rows[text].float())
    noise = torch.randn(rows.shape, generator=generator) / rows.shape[1] ** 0.5
    rows = functional.normalize(rows + _NOISE * chance()[:, None] * noise, dim=-1)
    styles = torch.where(chance() < _NO_STYLE, -1, drawn.styles[at])
    conditions = conditioned(rows, styles.tolist(), state.style_vectors)
    return at, torch.where((chance() < _NULL)[:, None], torch.zeros(()), conditions)


def _step(state: _State, drawn: DrawingSet, values: Tensor, *, behind: float, generator: torch.Generator) -> float:
    """One step of diffusion: predict the velocity (Salimans and Ho 2022, arXiv:2202.00512); min-SNR weights."""
    at, conditions = _draw(state, drawn, generator)
    clean, times = values[at], torch.rand(_BATCH, generator=generator).sqrt()  # more often noise than not
    noise = torch.randn(clean.shape, generator=generator)
    signal, amount = (part[:, None] for part in levels(times))
    with torch.autocast("cpu", torch.bfloat16):
        predicted = state.denoiser(signal * clean + amount * noise, times, conditions)
    error = (predicted.float() - (signal * noise - amount * clean)).square().mean(dim=1)
    snr = (signal / amount).square()[:, 0]
    loss = (error * snr.clamp(0.2, 5.0) / (snr + 1.0)).mean() * 2.0
    rate = _RATE * min(1.0, (state.done + 1) / _WARMUP) * min(1.0, (1 - behind) / _DECAY)
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    state.optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(state.denoiser.parameters(), 1.0)
    state.optimiser.step()
    keep = min(_EMA, (1 + state.done) / (10 + state.done))
    with torch.no_grad():
        for mean, now in zip(state.average.parameters(), state.denoiser.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)
    return float(loss.detach())
