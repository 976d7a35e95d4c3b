"""One training from its recipe to the model's folder, step by step; it can be stopped, killed and resumed.

Source:
    Radford et al. 2021, arXiv:2103.00020, section 2.5.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.errors import BadInput, Cancelled, OutOfResources
from workbench.loading.device import choose_device, choose_dtype
from workbench.progress import Progress
from workbench.statistics.intervals import Share, proportion
from workbench.training import checkpoints, record
from workbench.training.checking import Validation, matched, split
from workbench.training.data import Batches, View, find_pairs
from workbench.training.gradients import EncodedBatch, GradientResult, TowerPair, backward
from workbench.training.losses import clamp_scale, same, sigmoid_loss, symmetric_cross_entropy
from workbench.training.optimiser import adamw, rate_at, set_rate
from workbench.training.order import Order
from workbench.training.ranks import Place, gather, joined, local_device, sum_gradients, total
from workbench.training.recipe import Recipe
from workbench.training.rng import TrainingRng
from workbench.training.trainee import Trainee, check_out, export, ready

STATES = "checkpoints"  # the folder of those, in the model's folder


def train(recipe: Recipe, order: Order, *, stopped: Callable[[], bool] = lambda: False) -> Iterator[Progress]:
    """Train, and yield after each step; at the end the model lies in `order.out`, in the format it came in.

    Args:
        recipe: what to do.
        order: where the model goes, on which device, and whether to go on with what lies there. The rest of it stands
            in the recipe by now.
        stopped: asked after each step; then the state is saved. So it is when the generator is closed.

    Raises:
        BadInput: data, recipe and model do not fit each other; a folder in use; a loss that is no number.
        Cancelled: `stopped` said so; the message tells how to go on.
        OutOfResources: memory, disk or device do not suffice.
        WeightsMissing, WeightsRefused, UnknownName: see `workbench.load`.
    """
    _check_folder(recipe, order)
    device = choose_device(local_device(order.device))
    if recipe.dtype == "float16" and device.type != "cuda":
        raise BadInput(f"float16 training needs CUDA; on {device.type} use bfloat16 or float32.")
    with joined(device) as place:
        if recipe.batch % place.world:
            raise BadInput(
                f"The batch size must be a multiple of the number of processes; got {recipe.batch} over {place.world}."
            )
        training = _Training(recipe, order.out, ready(recipe.model, device), place=place)
        if order.resume and (newest := checkpoints.latest(order.out / STATES)) is not None:
            training.restore(checkpoints.load(newest))
        yield from training.steps(stopped)
        training.finish()


def _check_folder(recipe: Recipe, order: Order) -> None:
    there = (order.out / record.RECORD).is_file()
    if not order.resume:
        if there:
            raise BadInput(
                f"The folder {order.out.name!r} holds a training; pass --resume to continue it, or another --out."
            )
        check_out(order.out)
        return
    before = record.read_record(order.out)
    if before.state == "done":
        raise BadInput(f"The training in {order.out.name!r} is already finished.")
    ours, theirs = recipe.model_dump(), before.recipe.model_dump()
    changed = [name for name in ours if ours[name] != theirs[name]]
    if changed:
        raise BadInput(f"A resumed training keeps its recipe; these settings differ: {', '.join(changed)}.")


class _Training:
    """The state of a training between two steps."""

    def __init__(self, recipe: Recipe, out: Path, trainee: Trainee, *, place: Place) -> None:
        self._recipe, self._out, self._trainee, self._place = recipe, out, trainee, place
        self._device = trainee.log_scale.device
        self._kind = _loss_kind(recipe, trainee)
        self._begin()
        self._optimiser = adamw(
            trainee.module.named_parameters(), decay=recipe.decay, betas=recipe.betas, epsilon=recipe.epsilon
        )
        dtype = choose_dtype(recipe.dtype, self._device)
        self._towers = TowerPair(trainee.towers.image, trainee.towers.text, dtype)
        self._scaler = torch.amp.GradScaler(self._device.type) if dtype == torch.float16 else None
        self._rng = TrainingRng(recipe.seed, self._device, place)
        data = recipe.data
        pairs = find_pairs(data.path, kind=data.kind, image=data.image, text=data.text, seed=recipe.seed)
        trained, validated = split(pairs.pairs, data.validation, recipe.seed)
        self._data = {**pairs.hashes(), "validation_pairs": len(validated)}
        self._batches = Batches(
            trained,
            View(trainee.prepare, data.templates, data.crop),
            size=recipe.batch,
            seed=recipe.seed,
            part=place.part(recipe.batch),
            unreadable=data.unreadable,
        )
        self._check = Validation(validated if place.rank == 0 else [], trainee, template=data.templates[0])
        self._history: list[record.HistoryRow] = []
        self._accuracy: Share = proportion(0, 0)
        self._passed_over = pairs.passed_over
        self._step, self._saved, self._before, self._since = 0, -1, 0.0, time.monotonic()
        self._reported = 0  # unreadable pictures that were spoken of
        self._record("running")

    def _begin(self) -> None:
        self._trainee.learn(lock=self._recipe.lock, batch_norm=self._recipe.batch_norm == "learning")

    def steps(self, stopped: Callable[[], bool]) -> Iterator[Progress]:
        """Run the remaining steps."""
        recipe = self._recipe
        try:
            for drawn in self._batches.stream(self._step, recipe.steps):
                tokens = self._trainee.towers.tokenize(drawn.captions)
                here = (one.to(self._device) for one in (tokens.ids, tokens.mask, drawn.keys))
                batch = EncodedBatch(self._trainee.pixels(drawn.squares.to(self._device)), *here)
                yield self._one(batch)
                if total(float(stopped()), self._device) and self._step < recipe.steps:
                    self.save()
                    self._record("stopped")
                    raise Cancelled(
                        f"Stopped after step {self._step} of {recipe.steps}; saved. "
                        f"Continue with: clip-workbench train --resume --out {self._out}"
                    )
                if self._step % recipe.save_every == 0 and self._step < recipe.steps:
                    self.save()
        except GeneratorExit:  # the caller stopped; with several processes the others cannot be synchronised
            if self._place.world == 1:
                self.save()
            raise
        except torch.OutOfMemoryError as error:
            raise OutOfResources(
                f"A batch of {recipe.batch} does not fit into the device's memory; `chunk: 32` in the recipe computes "
                f"the same in parts. Device message: {str(error)[:160]}"
            ) from None

    def _one(self, batch: EncodedBatch) -> Progress:
        recipe = self._recipe
        rate = rate_at(self._step, recipe.steps, peak=recipe.rate, warmup=min(recipe.warmup, recipe.steps))
        set_rate(self._optimiser, rate)
        self._optimiser.zero_grad()
        with self._rng.rolling():
            result = backward(self._towers, batch, self._loss, chunk=recipe.chunk, scaler=self._scaler)
        self._move()
        self._step += 1
        loss = total(result.loss, self._device)
        if loss != loss:
            raise BadInput(
                f"The loss is NaN after step {self._step}; try a lower rate or float32. The checkpoints in "
                f"{self._out.name!r} are from earlier steps."
            )
        text = self._measure()
        self._history.append(self._row(result, batch, loss=loss, rate=rate))
        values = {"loss": loss, "learning rate": rate}
        note = " ".join([text, *self._failed()]).strip()
        return Progress(self._step, recipe.steps, "steps", values=values, text=note)

    def _failed(self) -> list[str]:
        """Return images that failed since the last call, at most three; images are loaded ahead of the steps."""
        failed = list(self._batches.unreadable.values())[self._reported :]
        self._reported += len(failed)
        return failed[:3]

    def _move(self) -> None:
        """Take one optimizer step along the summed gradient."""
        parameters = list(self._trainee.module.parameters())
        sum_gradients(parameters)
        if self._scaler is not None:
            self._scaler.unscale_(self._optimiser)
        if self._recipe.clip:
            torch.nn.utils.clip_grad_norm_(parameters, self._recipe.clip)
        if self._scaler is None:
            self._optimiser.step()
        else:
            self._scaler.step(self._optimiser)
            self._scaler.update()
        if self._kind == "softmax":
            clamp_scale(self._trainee.log_scale)

    def _loss(self, images: Tensor, texts: Tensor, keys: Tensor) -> Tensor:
        scale, bias = self._trainee.log_scale.exp(), self._trainee.bias
        right = same(keys.tolist(), images.device) if self._recipe.multi_positive else None
        mine = self._place.part(len(images))
        if self._kind == "sigmoid" and bias is not None:
            return sigmoid_loss(images, texts, scale, bias=bias, positives=right, mine=mine)
        return symmetric_cross_entropy(images, texts, scale, positives=right, mine=mine)

    def _measure(self) -> str:
        due = self._step % self._recipe.check_every == 0 or self._step == self._recipe.steps
        if not due or self._place.rank or len(self._check.sentences) < 2:
            return ""
        self._accuracy = self._check.measure(self._trainee, self._towers)
        self._begin()
        return f"validation: {self._accuracy} right, {len(self._check.sentences)} sentences to choose from"

    def _row(self, result: GradientResult, batch: EncodedBatch, *, loss: float, rate: float) -> record.HistoryRow:
        share_right = matched(result.images, result.texts, gather(batch.keys))
        scale = float(self._trainee.log_scale.detach().float().exp())
        measured = self._step % self._recipe.check_every == 0 or self._step == self._recipe.steps
        accuracy = self._accuracy.value if measured and self._accuracy.value is not None else math.nan
        return record.HistoryRow(self._step, loss, share_right, rate, scale, accuracy)

    def save(self) -> None:
        """Write a checkpoint of this very step."""
        if self._saved == self._step:
            return
        self._saved = self._step
        random = self._rng.state()
        if self._place.rank:
            return
        state = {
            "step": self._step,
            "data": self._data,
            "began_with": self._trainee.weights,
            "module": self._trainee.module.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "scaler": self._scaler.state_dict() if self._scaler is not None else {},
            "random": random,
            "history": [list(vars(row).values()) for row in self._history],
            "accuracy": [self._accuracy.n, round((self._accuracy.value or 0.0) * self._accuracy.n)],
            "seconds": self._before + time.monotonic() - self._since,
        }
        checkpoints.save(self._out / STATES, self._step, state)

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from a checkpoint.

        Raises:
            BadInput: data or initial weights have changed.
        """
        for what, ours in (("data", self._data), ("began_with", self._trainee.weights)):
            if state[what] != ours:
                raise BadInput(f"Cannot resume: {what.replace('_', ' ')} changed since the checkpoint.")
        self._trainee.module.load_state_dict(state["module"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._scaler is not None:
            self._scaler.load_state_dict(state["scaler"])
        self._rng.restore(state["random"])
        self._history = [record.HistoryRow(*row) for row in state["history"]]
        n, right = state["accuracy"]
        self._accuracy, self._before = proportion(right, n), state["seconds"]
        self._step = self._saved = state["step"]

    def finish(self) -> None:
        """Write model, record, history and figure; delete the checkpoints."""
        if self._place.rank:
            return
        weights = export(self._trainee, self._out)
        record.write_history(self._out, self._history)
        self._record("done", weights)
        shutil.rmtree(self._out / STATES, ignore_errors=True)

    def _record(self, state: Any, weights: dict[str, str] | None = None) -> None:
        if self._place.rank:
            return
        spec = self._trainee.spec
        last = self._history[-1].loss if self._history else None
        record.write_record(
            self._out,
            record.TrainingRecord(
                state=state,
                recipe=self._recipe,
                began_with={"key": spec.key, "title": spec.title, "sha256": self._trainee.weights},
                data=self._data,
                passed_over=self._passed_over,
                unreadable=self._batches.unreadable,
                device=str(self._device),
                dtype=str(self._towers.dtype).removeprefix("torch."),
                processes=self._place.world,
                versions=record.versions(),
                steps_done=self._step,
                seconds=round(self._before + time.monotonic() - self._since, 3),
                loss=last,
                accuracy=str(self._accuracy),
                weights=weights or {},
            ),
        )


def _loss_kind(recipe: Recipe, trainee: Trainee) -> str:
    own = trainee.towers.score
    if recipe.loss not in ("auto", own):
        raise BadInput(
            f"{trainee.spec.title} was trained with the {own} loss and supports no other; got loss {recipe.loss!r}."
        )
    return own
