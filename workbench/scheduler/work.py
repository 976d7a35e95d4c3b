"""What waits for the device: a small item that shares a batch with others, and a long job that runs step by step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import DeviceLost, OutOfResources, WorkbenchError
from workbench.hooks import open_blocks
from workbench.scheduler.attempt import Attempted, attempt
from workbench.scheduler.cancel import CancelScope

Encode = Callable[[Sequence[Any]], Sequence[Any]]  # n values -> n results, in the same order

END = object()  # in a job's slot: there are no more steps


@dataclass(eq=False)
class BatchItem:
    """One small request: an image or a text."""

    key: Hashable  # items of one key may share a batch
    value: Any
    encode: Encode
    owner: str
    scope: CancelScope
    since: float  # when it came, on the scheduler's clock
    future: Future[Any] = field(default_factory=Future)


@dataclass(eq=False)
class LongJob:
    """A long job: `work` makes a generator whose steps run on the device.

    One finished step waits in `slot` until the consumer takes it; meanwhile the job stands still.
    """

    work: Callable[[], Iterator[Any]]
    owner: str
    scope: CancelScope
    slot: Future[Any] = field(default_factory=Future)
    forget: Callable[[], None] = lambda: None  # takes the worker off the token's list of listeners
    over: WorkbenchError | None = None  # why there are no more steps
    _steps: Iterator[Any] | None = None
    _gradients: bool = True  # torch keeps this per thread; here it is kept per job

    @property
    def ready(self) -> bool:
        """Whether a step may run: the consumer has taken the last one."""
        return not self.slot.done()

    def step(self, lost: Callable[[], None] = lambda: None) -> bool:
        """Run one step in the worker; return whether more may follow. `lost` is called where the device failed."""
        outcome = attempt(self._next)
        if outcome.error is None:
            self.slot.set_result(outcome.value)
            return outcome.value is not END
        if isinstance(outcome.error, DeviceLost):
            lost()
        self.slot.set_exception(_explain(outcome, "This step") or outcome.error)
        return False

    def close(self) -> BaseException | None:
        """Close the generator in the worker; return what closing raised."""
        steps, self._steps = self._steps, None
        return attempt(getattr(steps, "close", lambda: None)).error

    def advance(self) -> None:
        """Empty the slot for the next step; an ended job says there why no more will come."""
        self.slot = Future()
        if self.over is not None:
            self.slot.set_exception(self.over)

    def end(self, reason: WorkbenchError) -> None:
        """Run no more steps; a caller who waits for one gets the reason."""
        self.over = reason
        if self.ready:
            self.slot.set_exception(reason)

    def _next(self) -> Any:
        import torch

        if self._steps is None:
            self._steps = iter(self.work())
        with torch.set_grad_enabled(self._gradients):
            value = next(self._steps, END)
            self._gradients = torch.is_grad_enabled()
            if torch.is_inference_mode_enabled():  # it would reach into the steps of other jobs
                raise RuntimeError("a step may not end inside torch.inference_mode(); close it before the yield")
            if open_blocks():
                raise RuntimeError("a step may not end with hooks on a shared model; close `hooked` before the yield")
        return value


def run_batch(items: Sequence[BatchItem], lost: Callable[[], None] = lambda: None) -> int | None:
    """Encode items together; where that fails, in halves, so that a poisoned item fails alone.

    Args:
        items: of one key.
        lost: called where the device failed, before anybody hears of it; no half of the batch is tried then.

    Returns:
        None when memory sufficed, else the number of items to which the batch had to shrink.
    """
    fitted: int | None = None
    waiting = [list(items)]
    while waiting:
        part = drop_unwanted(waiting.pop())
        if not part:
            continue
        outcome = attempt(lambda part=part: _encode(part))  # type: ignore[misc]
        if outcome.value is not None:
            for item, row in zip(part, outcome.value, strict=True):
                item.future.set_result(row)
        elif len(part) == 1 or isinstance(outcome.error, DeviceLost):
            if isinstance(outcome.error, DeviceLost):
                lost()
            error = _explain(outcome, "One image or text alone") or outcome.error
            for item in part:
                item.future.set_exception(error)
        else:
            half = (len(part) + 1) // 2
            fitted = half if outcome.full else fitted
            waiting += [part[half:], part[:half]]
    return fitted


def drop_unwanted(items: Sequence[BatchItem]) -> list[BatchItem]:
    """Return the items that a caller still waits for; the others get the reason why they were dropped."""
    wanted = []
    for item in items:
        reason = item.scope.over()
        if reason is None:
            wanted.append(item)
        else:
            item.future.set_exception(reason)
    return wanted


def _encode(items: Sequence[BatchItem]) -> list[Any]:
    rows = list(items[0].encode([item.value for item in items]))
    if len(rows) != len(items):
        raise RuntimeError(f"a batch of {len(items)} items came back as {len(rows)} rows")
    return rows


def _explain(outcome: Attempted[Any], what: str) -> OutOfResources | None:
    """Say what a lack of memory means to the user; None for any other error."""
    if not outcome.full:
        return None
    return OutOfResources(
        f"{what} does not fit into the device's memory. A smaller model, smaller settings or --device cpu need less. "
        f"The device said: {str(outcome.error)[:200]}"
    )
