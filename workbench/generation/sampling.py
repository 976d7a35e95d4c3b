"""Draw by diffusion: several candidates a round, ranked by the models that steer; the best of all rounds stays.

Guidance needs no classifier: the network answers with and without each text, and a further push follows the gradient
of the score (see `diffusion.guidance`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadInput, OutOfResources, Unsupported
from workbench.generation.cutouts import Cutouts
from workbench.generation.diffusion import PRESETS, Guide, Push, Steps, guided_step, invert
from workbench.generation.diffusion.sources import Conditions, DiffusionSource, PriorSource, predictor, source_of
from workbench.generation.editing import PACE, global_direction, path
from workbench.generation.painting import CanvasJob, Painting
from workbench.generation.previews import as_array, memory_ran_out, over, report
from workbench.generation.steering import Steering, steering, suitable_side
from workbench.objectives import Cosine
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from workbench.backend import WhiteBox
    from workbench.generation.diffusion.checkpoint import Checkpoint
    from workbench.generation.prior import Prior

_SAMPLES = 64  # drawings that a direction is averaged over
_VIEWS, _WIDE = 4, 0.8  # of an edited image in a step, and the share that shows nearly all of it
_NEAR = 0.6  # share of new noise beside that of the best candidate so far


@dataclass
class _Drawing:
    """Rounds of one image on their way."""

    source: DiffusionSource
    aim: Steering
    job: CanvasJob
    generator: torch.Generator
    candidates: int
    start: Tensor | None = None  # (1, 3, side, side), of an edit or of image-to-image
    redrawn: Tensor | None = None  # the start image as the source has it
    values: list[float] = field(default_factory=list)  # of each round's best candidate
    best: Tensor | None = None  # (1, …) clean sample
    noise: Tensor | None = None  # that it came from
    drawn: Tensor | None = None  # noise of this round
    image: NDArray[np.uint8] | None = None

    @property
    def slow(self) -> bool:
        """Whether a step takes so long that others get the device in between."""
        by_gradient = self.edits and self.job.settings.edit == "gradient"
        return by_gradient or bool(self.job.settings.push) or not isinstance(self.source, PriorSource)

    @property
    def edits(self) -> bool:
        """Whether an image is changed from one sentence to another, which leaves nothing to chance."""
        return self.start is not None and self.job.neutral is not None

    @property
    def steps(self) -> int:
        """How many steps a round has; a few schedulers take one or two more."""
        settings = self.job.settings
        if self.edits and settings.edit != "follow":
            return 1 + math.ceil(abs(settings.strength) * PACE) if settings.edit == "gradient" else 1
        return max(1, round(settings.denoising * (1 if self.start is None else settings.noising)))

    def round(self) -> Iterator[Tensor]:
        """One round: yield the clean samples that are foreseen, step by step; the last ones are the result."""
        settings = self.job.settings
        if self.edits and settings.edit != "follow":
            yield from (self._by_gradient() if settings.edit == "gradient" else self._along())
            return
        conditions = self.source.conditions(self.job, self.candidates, self.generator)
        steps = self.source.steps(settings.denoising, exact=self.edits)
        predict = predictor(self.source, conditions)
        first = 0 if self.start is None else min(steps.count - 1, round((1 - settings.noising) * steps.count))
        values = self._begin(steps, conditions, first)
        score = lambda clean: self.aim.rank(self.shown(clean))  # noqa: E731
        push = Push(PRESETS[settings.guide], settings.push or 0.0, score, self.generator)
        for at in range(first, steps.count):
            noisy = _share_of_signal(steps, at) < 0.1  # hardly anything can be foreseen yet
            now = replace(push, guide=Guide()) if noisy else push
            values, clean = guided_step(predict, steps, values, at=at, push=now)
            yield clean

    def shown(self, clean: Tensor) -> Tensor:
        """Images of clean samples, (n, 3, h, w) in 0..1; an edit adds what changed to the start image.

        So an edit of strength 0 is the start image, and what the source cannot draw of it stays.
        """
        images = self.source.decode(clean)
        if not self.edits:
            return images
        import torch

        assert self.start is not None
        if self.redrawn is None:
            with torch.no_grad():
                self.redrawn = self.source.decode(self.source.encode(self.start))
        changed = torch.nn.functional.interpolate(images - self.redrawn, size=self.start.shape[-2:], mode="bicubic")
        return (self.start.to(changed) + changed).clamp(0, 1)

    def _begin(self, steps: Steps, conditions: Conditions, first: int) -> Tensor:
        """Noise; near that of the best so far, where the settings say so; from the start image where there is one."""
        signal, amount = steps.levels(first)
        if self.edits:
            assert self.start is not None
            plain = replace(conditions, strength=0.0)
            clean = self.source.encode(self.start)
            return invert(predictor(self.source, plain), steps, clean, first=first)
        noise = self.source.noise(self.candidates, self.generator)
        if self.noise is not None and self.job.settings.search == "near":
            noise = (1 - _NEAR**2) ** 0.5 * self.noise + _NEAR * noise
        self.drawn = noise
        if self.start is None:
            return noise * (amount if signal == 1 else 1.0)
        clean = self.source.encode(self.start)
        return signal * clean + amount * noise

    def _by_gradient(self) -> Iterator[Tensor]:
        """The start image, changed step by step towards the prompt and away from the neutral sentence.

        Of the steps so far, the one stays whose image is most like the prompt: a stronger edit is never less like it.
        """
        assert self.start is not None
        aim, clean = self._change(target=1.0), self.source.encode(self.start)
        views = Cutouts(_VIEWS, suitable_side(aim.boxes[0]), _WIDE)

        def score(latents: Tensor) -> Tensor:
            """The whole image, which is the first view, and as much for all views; the same ones for every strength."""
            seen = aim.scores(views.cut(self.shown(latents), views.draw(self.generator), self.generator))
            return seen[:1] + seen.mean()

        strength = self.job.settings.strength
        best, reached = clean, self._likeness(clean, strength)
        yield best
        for latents in path(score, clean, strength=strength):
            if (value := self._likeness(latents, strength)) > reached:
                best, reached = latents, value
            yield best

    def _likeness(self, clean: Tensor, sign: float) -> float:
        """How like the prompt an edited image is at full size; below zero, how unlike."""
        import torch

        with torch.no_grad():
            return (1 if sign > 0 else -1) * float(self.aim.rank(self.shown(clean)))

    def _change(self, *, target: float = 0.0) -> Steering:
        """The models that steer, each with the direction from the neutral sentence to the prompt.

        `target` is the weight of the prompt itself beside it: without it, an image can become less like both sentences.
        """
        import torch

        job = self.job
        weights = torch.tensor(job.weights[: len(job.rows)])
        wanted = []
        for rows, neutral in ((job.rows, job.neutral), *((aim.rows, aim.neutral) for aim in job.also)):
            prompt = weights @ torch.from_numpy(rows) / weights.abs().sum()
            change = torch.nn.functional.normalize(prompt - torch.from_numpy(neutral), dim=0)
            wanted.append(Cosine(torch.nn.functional.normalize(change + target * prompt, dim=0)[None]))
        return Steering(self.aim.boxes, tuple(wanted))

    def _along(self) -> Iterator[Tensor]:
        """The start image, moved along the direction from the neutral sentence to the prompt."""
        assert self.start is not None
        samples = self.source.samples(_SAMPLES, self.generator)
        if samples is None:
            raise Unsupported("A direction is an average over images that a prior knows; take the method prior.")
        aim = self._change()
        direction = global_direction(
            lambda latents: aim.rank(self.source.decode(latents)), samples, threshold=self.job.settings.threshold
        )
        yield self.source.encode(self.start) + self.job.settings.strength * direction

    def judge(self, clean: Tensor) -> bool:
        """Rank a round's results, and remember the best; False where a value is no number."""
        import torch

        with torch.no_grad():
            images = self.shown(clean)
            scores = self.aim.rank(images)
        if not bool(scores.isfinite().all()):
            return False
        top = int(scores.argmax())
        if float(scores[top]) > max(self.values, default=-np.inf):
            self.best = clean[top : top + 1].detach().clone()
            self.noise = None if self.drawn is None else self.drawn[top : top + 1].clone()
            self.image = as_array(enlarged(images[top : top + 1], self.job.settings.side))
        self.values.append(float(scores[top]))
        return True


def draw(boxes: Sequence[WhiteBox], model: Prior | Checkpoint, job: CanvasJob) -> Iterator[Progress | Painting]:
    """Yield progress with the best image so far as preview, and that image at the end.

    Args:
        boxes: the models that steer, the main one first.
        model: what draws.
        job: what is wanted.

    Raises:
        OutOfResources: memory does not suffice for one candidate.
        Unsupported: a checkpoint without a network, or one that takes other embeddings.
    """
    drawing = _drawing(boxes, model, job)
    begun, note = time.monotonic(), ""
    first = _sketch(drawing) if isinstance(drawing.source, PriorSource) else None
    yield Progress(0, job.settings.steps, "rounds", "generate", preview=first)
    while not over(job.settings, len(drawing.values), time.monotonic() - begun):
        late = False  # a round that the time does not suffice for does not count
        try:
            for at, clean in enumerate(drawing.round(), start=1):
                seconds = time.monotonic() - begun
                late = bool(drawing.values) and over(job.settings, len(drawing.values), seconds)
                if late:
                    break
                if drawing.slow:  # a step takes long: others have their turn
                    yield _midway(drawing, clean, done=min(1.0, at / drawing.steps), seconds=seconds)
        except (MemoryError, RuntimeError) as error:
            if not memory_ran_out(error):
                raise
            if drawing.candidates == 1:
                raise OutOfResources("The memory does not suffice for one candidate; choose a smaller model.") from None
            drawing.candidates //= 2
            note = f"The memory did not suffice; it went on with {drawing.candidates} candidates a round."
            continue
        if late:
            break
        if not drawing.judge(clean):
            number = len(drawing.values) + 1
            note = f"Round {number} gave a value that is no number; this is the best image before it."
            break
        assert drawing.image is not None
        yield report(
            job.settings, drawing.values, seconds=time.monotonic() - begun, preview=drawing.image, unit="rounds"
        )
        if drawing.edits:
            break
    yield _painting(drawing, time.monotonic() - begun, note)


def _drawing(boxes: Sequence[WhiteBox], model: Prior | Checkpoint, job: CanvasJob) -> _Drawing:
    import torch

    settings = job.settings
    start = None if job.start is None else torch.from_numpy(job.start).movedim(-1, 0).float()[None] / 255
    candidates = 1 if start is not None and job.neutral is not None else settings.candidates
    aim = steering(boxes, replace(job, neutral=None, also=tuple(replace(one, neutral=None) for one in job.also)))
    generator = torch.Generator().manual_seed(settings.seed)
    source = source_of(model, settings)
    if start is not None and settings.noising == 0:
        raise BadInput("With a noising of 0 the start image stays as it is; choose more, such as 0.6.")
    return _Drawing(source, aim, job, generator, candidates, start)


def _sketch(drawing: _Drawing) -> NDArray[np.uint8]:
    """The first preview, which the steering model has not seen: one hasty drawing, or the image that is edited."""
    import torch

    if drawing.edits and drawing.start is not None:
        return as_array(drawing.start)
    settings = drawing.job.settings.model_copy(update={"push": 0.0, "denoising": 4})
    generator = torch.Generator().manual_seed(settings.seed)
    one = replace(drawing, job=replace(drawing.job, settings=settings), candidates=1, generator=generator)
    *_, clean = one.round()
    return as_array(enlarged(drawing.source.decode(clean), settings.side))


def _midway(drawing: _Drawing, clean: Tensor, *, done: float, seconds: float) -> Progress:
    """Progress within a round, of which a share is done: what the first candidate is on its way to."""
    import torch

    settings, rounds = drawing.job.settings, len(drawing.values)
    with torch.no_grad():
        image = as_array(enlarged(drawing.shown(clean[:1]), settings.side))
    rate = (rounds + done) / seconds
    left = (settings.steps - rounds - done) / rate if settings.steps else max(0.0, settings.seconds - seconds)
    return Progress(rounds, settings.steps, "rounds", "generate", rate, left, preview=image)


def _painting(drawing: _Drawing, seconds: float, note: str) -> Painting:
    settings = drawing.job.settings
    if drawing.image is None or drawing.best is None:
        blank = np.full((settings.side, settings.side, 3), 255, np.uint8)
        return Painting(blank, settings, (), seconds, note)
    update: dict[str, Any] = {"steps": len(drawing.values)}
    if not drawing.edits:
        update["candidates"] = drawing.candidates
    nearest = drawing.source.nearest(drawing.best)
    effective = settings.model_copy(update=update)
    return Painting(drawing.image, effective, tuple(drawing.values), seconds, note, nearest=nearest)


def _share_of_signal(steps: Steps, at: int) -> float:
    signal, noise = steps.levels(at)
    return signal / math.hypot(signal, noise)


def enlarged(images: Tensor, side: int) -> Tensor:
    """Images (n, 3, h, w) in 0..1 at `side` pixels."""
    import torch

    larger: Tensor = torch.nn.functional.interpolate(images, size=(side, side), mode="bicubic", antialias=True)
    return larger.clamp(0, 1)
