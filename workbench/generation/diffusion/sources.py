"""What noise is turned into images by: the shipped prior, or a checkpoint of diffusers, behind one face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from workbench.errors import Unsupported
from workbench.generation.diffusion.checkpoint import Checkpoint, class_numbers, shrinking
from workbench.generation.diffusion.steps import CosineSteps, SchedulerSteps, Steps
from workbench.generation.prior import Prior
from workbench.generation.prompts import parse_prompt

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.generation.painting import CanvasJob, Neighbour
    from workbench.generation.settings import Settings

    Predict = Callable[[Tensor, Any], Tensor]


@dataclass(frozen=True, eq=False)
class Conditions:
    """What the network is told, for n candidates."""

    texts: tuple[Tensor | None, ...]  # of each text (n, …); None where the network is told nothing
    nothing: Tensor | None  # what stands for no text
    shares: Tensor  # (texts,): weights that sum to 1 in absolute value
    guidance: float
    neutral: Tensor | None = None  # of the sentence that an edit comes from
    strength: float = 1.0  # of an edit


class DiffusionSource(Protocol):
    """A network with its levels, its space and its conditions."""

    name: str

    def steps(self, count: int, *, exact: bool = False) -> Steps:
        """The levels of a run; `exact` for inversion."""

    def noise(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw standard noise for `count` candidates, on the device."""

    def conditions(self, job: CanvasJob, count: int, generator: torch.Generator) -> Conditions:
        """Read a job's texts as conditions."""

    def output(self, values: Tensor, time: Any, condition: Tensor | None) -> Tensor:
        """Run the network."""

    def decode(self, clean: Tensor) -> Tensor:
        """Clean samples -> images (n, 3, h, w) in 0..1, with gradient."""

    def encode(self, images: Tensor) -> Tensor:
        """Images (n, 3, h, w) in 0..1, of any size -> clean samples."""

    def samples(self, count: int, generator: torch.Generator) -> Tensor | None:
        """Clean samples of ordinary images, where such are known."""

    def nearest(self, clean: Tensor) -> Neighbour | None:
        """The drawing of the training that is nearest to one clean sample, where that is known."""


def predictor(source: DiffusionSource, conditions: Conditions) -> Predict:
    """The network's answer with classifier-free guidance, all texts in one batch.

    Weighted texts add their differences from no text, below zero too. For an edit, the difference between target and
    neutral sentence is added to the neutral one, `strength` times.

    Source:
        Ho and Salimans 2022, arXiv:2207.12598, equation 6; Liu et al. 2022, arXiv:2206.01714 (several texts).
    """
    import torch

    base = conditions.nothing if conditions.neutral is None else conditions.neutral
    parts = [part for part in (base, *conditions.texts) if part is not None]

    def predict(values: Tensor, time: Any) -> Tensor:
        if not parts:
            return source.output(values, time, None)
        many = values.repeat(len(parts), *[1] * (values.ndim - 1))
        outputs = source.output(many, time, torch.cat(parts)).reshape(len(parts), *values.shape)
        if base is None:  # a network that was never trained without a condition
            return torch.einsum(
                "t,t...->...", conditions.shares.clamp_min(0) / conditions.shares.clamp_min(0).sum(), outputs
            )
        changes = torch.einsum("t,t...->...", conditions.shares, outputs[1:] - outputs[:1])
        mixed: Tensor = outputs[0] + conditions.strength * conditions.guidance * changes
        return mixed

    return predict


def source_of(model: Prior | Checkpoint, settings: Settings) -> DiffusionSource:
    """Put a loaded model behind the common face."""
    return PriorSource(model) if isinstance(model, Prior) else CheckpointSource(model, settings)


class PriorSource:
    """The shipped prior."""

    def __init__(self, prior: Prior) -> None:
        self.name, self._prior = "the shipped prior", prior
        self._device = prior.components.scales.device

    def steps(self, count: int, *, exact: bool = False) -> Steps:
        """Levels of a cosine."""
        return CosineSteps(count)

    def noise(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, components)."""
        import torch

        return torch.randn((count, len(self._prior.components.scales)), generator=generator).to(self._device)

    def conditions(self, job: CanvasJob, count: int, generator: torch.Generator) -> Conditions:
        """Embeddings with a style."""
        import torch

        settings, prior = job.settings, self._prior
        if settings.drawing == "any":
            styles = torch.randint(-1, len(prior.styles), (count,), generator=generator).tolist()
        else:
            styles = [prior.styles.index(settings.drawing)] * count

        def condition(row: Any) -> Tensor:
            return prior.condition(torch.from_numpy(row).to(self._device).expand(count, -1), styles)

        embedded = tuple(condition(row) for row in job.rows)
        return _conditions(
            job, embedded, torch.zeros_like(embedded[0]), None if job.neutral is None else condition(job.neutral)
        )

    def output(self, values: Tensor, time: Any, condition: Tensor | None) -> Tensor:
        """Velocities."""
        import torch

        assert condition is not None
        velocities: Tensor = self._prior.denoiser(
            values, torch.full((len(values),), time, device=values.device), condition
        )
        return velocities

    def decode(self, clean: Tensor) -> Tensor:
        """Components -> images."""
        return self._prior.components.decode(clean)

    def encode(self, images: Tensor) -> Tensor:
        """Images -> components."""
        import torch

        small = torch.nn.functional.interpolate(images, size=(64, 64), mode="area")
        return self._prior.components.encode(small.to(self._device) * 255)

    def samples(self, count: int, generator: torch.Generator) -> Tensor | None:
        """Drawings of the training, by their first components."""
        import torch

        known, scales = self._prior.drawings, self._prior.components.scales
        chosen = known[torch.randint(0, len(known), (count,), generator=generator)].to(scales)
        some = torch.zeros((count, len(scales)), device=scales.device)
        some[:, : known.shape[1]] = chosen / scales[: known.shape[1]]
        return some

    def nearest(self, clean: Tensor) -> Neighbour | None:
        """By the first components."""
        return self._prior.nearest(clean.cpu())


class CheckpointSource:
    """A checkpoint of diffusers."""

    def __init__(self, checkpoint: Checkpoint, settings: Settings) -> None:
        self.name, self._checkpoint, self._settings = checkpoint.name, checkpoint, settings
        if checkpoint.network is None:
            raise Unsupported(f"{checkpoint.name!r} holds no network; the method latents takes an autoencoder.")
        self._network = checkpoint.network
        self._device = next(checkpoint.network.parameters()).device

    def steps(self, count: int, *, exact: bool = False) -> Steps:
        """Levels of the folder's scheduler."""
        return SchedulerSteps(self._checkpoint.scheduler, count, exact=exact)

    def noise(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, channels, height, width)."""
        import torch

        return torch.randn((count, *self._checkpoint.shape), generator=generator).to(self._device)

    def conditions(self, job: CanvasJob, count: int, generator: torch.Generator) -> Conditions:
        """Nothing, classes, embeddings or tokens of texts, as the network takes them."""
        import torch

        kind = self._checkpoint.condition
        if kind in ("none", "class") and job.neutral is not None:
            raise Unsupported(f"{self.name!r} takes no sentences, so it cannot edit from one to another.")
        if kind == "none":
            return _conditions(job, (), None, None)
        if kind == "class":
            return self._classes(job, count, generator)
        if kind == "text":
            texts = [part.text for part in parse_prompt(job.settings.prompt)]
            embedded = tuple(self._tokens(text).expand(count, -1, -1) for text in texts)
            neutral = self._tokens(job.settings.neutral).expand(count, -1, -1) if job.settings.neutral else None
            return _conditions(job, embedded, self._tokens("").expand(count, -1, -1), neutral)
        rows = torch.from_numpy(job.rows).to(self._device)
        self._check_width(rows.shape[1])
        embedded = tuple(row.expand(count, -1) for row in rows)
        neutral = None if job.neutral is None else torch.from_numpy(job.neutral).to(self._device).expand(count, -1)
        return _conditions(job, embedded, torch.zeros_like(embedded[0]), neutral)

    def output(self, values: Tensor, time: Any, condition: Tensor | None) -> Tensor:
        """What the network predicts; a learned variance is left out."""
        import torch

        kind = type(self._network).__name__
        if kind == "UNet2DConditionModel":
            assert condition is not None
            tokens = condition[:, None] if condition.ndim == 2 else condition
            out = self._network(values, time, encoder_hidden_states=tokens).sample
        elif condition is None:
            out = self._network(values, time).sample
        else:
            if condition.is_floating_point():  # the sum with the time's embedding wants entries of about 1
                condition = condition * condition.shape[1] ** 0.5
            times = torch.as_tensor(time, device=values.device).expand(len(values))
            out = self._network(values, timestep=times, class_labels=condition).sample
        predicted: Tensor = out[:, : values.shape[1]]
        return predicted

    def decode(self, clean: Tensor) -> Tensor:
        """Samples or latents -> images."""
        return self._checkpoint.decode(clean)

    def encode(self, images: Tensor) -> Tensor:
        """Images -> samples or latents, of the size that the network was trained on."""
        import torch

        wanted = self._checkpoint.shape[1:]
        factor = 1 if self._checkpoint.autoencoder is None else shrinking(self._checkpoint.autoencoder)
        size = (wanted[0] * factor, wanted[1] * factor)
        fitted = torch.nn.functional.interpolate(images, size=size, mode="bilinear", antialias=True)
        with torch.no_grad():
            return self._checkpoint.encode(fitted.to(self._device))

    def samples(self, count: int, generator: torch.Generator) -> Tensor | None:
        """Unknown: the training's images are not there."""
        return None

    def nearest(self, clean: Tensor) -> Neighbour | None:
        """Unknown: the training's images are not there."""
        return None

    def _check_width(self, dim: int) -> None:
        config: Any = self._network.config
        if type(self._network).__name__ == "UNet2DConditionModel":
            wanted = config.get("encoder_hid_dim") or config.get("cross_attention_dim")
        else:
            wanted = config.get("time_embedding_dim") or config["block_out_channels"][0] * 4
        if wanted != dim:
            raise Unsupported(
                f"{self.name!r} takes embeddings of {wanted} numbers and the steering model has {dim}; choose the "
                "model that it was trained with."
            )

    def _classes(self, job: CanvasJob, count: int, generator: torch.Generator) -> Conditions:
        """Classes of the settings; where none is named, one drawn for each candidate, and the best of them stays."""
        import torch

        checkpoint = self._checkpoint
        if self._settings.classes:
            parts = parse_prompt(self._settings.classes)
            numbers = class_numbers(checkpoint, [part.text for part in parts])
            weights = torch.tensor([part.weight for part in parts])
            embedded = tuple(torch.full((count,), number, device=self._device) for number in numbers)
        else:
            weights = torch.ones(1)
            embedded = (torch.randint(0, checkpoint.classes, (count,), generator=generator).to(self._device),)
        nothing = None
        if type(self._network).__name__ == "DiTTransformer2DModel":  # the row after the last stands for no class
            nothing = torch.full((count,), checkpoint.classes, device=self._device)
        shares = (weights / weights.abs().sum()).to(self._device)
        return Conditions(embedded, nothing, shares, job.settings.guidance)

    def _tokens(self, text: str) -> Tensor:
        """(1, tokens, width): a text as the folder's own encoder sees it."""
        import torch

        tokenizer, encoder = self._checkpoint.tokenizer, self._checkpoint.text_encoder
        assert encoder is not None
        limit = int(encoder.config.max_position_embeddings)  # type: ignore[union-attr, arg-type]
        ids = tokenizer(text, padding="max_length", max_length=limit, truncation=True, return_tensors="pt").input_ids
        with torch.no_grad():
            states: Tensor = encoder(ids.to(self._device)).last_hidden_state
        return states


def _conditions(
    job: CanvasJob, texts: tuple[Tensor, ...], nothing: Tensor | None, neutral: Tensor | None
) -> Conditions:
    import torch

    weights = torch.tensor(job.weights[: len(texts)] or job.weights)
    shares = (weights / weights.abs().sum()).to(texts[0].device if texts else "cpu")
    settings = job.settings
    if neutral is None:
        return Conditions(texts, nothing, shares, settings.guidance)
    return Conditions(texts, nothing, shares, settings.guidance, neutral, settings.strength)
