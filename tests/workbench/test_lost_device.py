"""A device that fails while it computes: its callers get a sentence, everybody after them an answer from the CPU."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from PIL import Image

from workbench.engine import Engine, Loader
from workbench.engine.loaders import LOADERS
from workbench.errors import RESOURCES, DeviceLost, OutOfResources
from workbench.fake import FakeBackend
from workbench.scheduler.attempt import attempt, device_lost

ASSERTION = "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"
RED = [Image.new("RGB", (96, 96), "red")]


class Card:
    """The fake model on a card that fails when told to, and from then on answers every call with an error."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self._model = machine, FakeBackend(device="cpu")
        self.device = "cuda:0"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode_pixels(self, batch: torch.Tensor) -> torch.Tensor:
        self._machine.compute()
        return self._model.encode_pixels(batch)

    def encode_tokens(self, batch: Any) -> torch.Tensor:
        self._machine.compute()
        return self._model.encode_tokens(batch)


class Machine:
    """A machine with one card."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.calls = 0
        self.error: Exception | None = None

    def load(self, key: str, device: str, dtype: str) -> Any:
        self.loads.append(device)
        if device == "cpu":
            return FakeBackend(device="cpu")
        if self.error is not None:
            raise self.error
        return Card(self)

    def compute(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setitem(LOADERS, "clip", Loader(made.load, lambda key: 0))
    return made


@pytest.fixture
def engine(machine: Machine) -> Iterator[Engine]:
    with Engine(default="fake") as made:
        yield made


def answer(engine: Engine, owner: str = "ann") -> torch.Tensor:
    with engine.session(owner) as session:
        return session.embed_images(RED)


def test_a_lost_card_ends_with_a_sentence_and_the_cpu_goes_on(machine: Machine, engine: Engine) -> None:
    with engine.session("ann") as session:
        session.embed_texts(["a cat"])
    assert (machine.loads, engine.status()["status"]) == (["auto"], "ready")
    machine.error, machine.calls = torch.AcceleratorError(ASSERTION), 0
    pictures = [Image.new("RGB", (96, 96), (at, 0, 0)) for at in range(8)]
    with pytest.raises(DeviceLost, match="loaded again, on the CPU") as caught, engine.session("ann") as session:
        session.embed_images(pictures)
    assert "device-side assert triggered" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == RESOURCES
    assert machine.calls <= 8  # of batches as they came; a failed batch was not tried in halves
    assert torch.equal(answer(engine), FakeBackend(device="cpu").embed_images(RED))
    assert machine.loads == ["auto", "cpu"]
    assert (engine.lost, engine.status()) == (
        "cuda:0",
        {"status": "degraded", "model": "fake", "device": "cpu"},
    )


def test_a_batch_on_a_lost_card_is_not_tried_in_halves(machine: Machine) -> None:
    from workbench.scheduler import Scheduler

    heard: list[str] = []
    still = Scheduler(batch=8, threaded=False, lost=lambda: heard.append("lost"))
    machine.error = RuntimeError("CUDA error: unspecified launch failure")
    futures = [still.submit("k", at, lambda values: machine.compute(), owner=f"{at}") for at in range(8)]  # type: ignore[arg-type, return-value]
    futures[0].add_done_callback(lambda _: heard.append("answered"))
    assert still.turn()
    assert machine.calls == 1
    assert all(isinstance(future.exception(0), DeviceLost) for future in futures)
    assert heard == ["lost", "answered"]  # whoever asks again at once meets the new model


def test_other_visitors_go_on_and_models_are_loaded_once_more_only(machine: Machine, engine: Engine) -> None:
    """Ann and Bob hold the card's model when it fails; Cid's job uses no model; all of them are served afterwards."""
    released = threading.Event()

    def steps() -> Iterator[int]:
        yield 0
        released.wait(20)
        yield 1

    with engine.session("ann") as ann, engine.session("bob") as bob:
        ann.embed_texts(["a cat"])
        long = engine.stream(steps, owner="cid")
        assert next(long) == 0
        machine.error = torch.AcceleratorError(ASSERTION)
        released.set()
        with pytest.raises(DeviceLost):
            ann.embed_images(RED)
        after = answer(engine, "dan")  # a new visitor, while Ann and Bob still hold what is lost
        with pytest.raises(DeviceLost):  # Bob's model is on the lost card; a second report changes nothing
            bob.embed_texts(["a dog"])
    assert list(long) == [1]
    for owner in ("ann", "bob", "dan"):
        assert torch.equal(answer(engine, owner), after)
    assert machine.loads == ["auto", "cpu"]


def test_a_step_of_a_long_job_on_a_lost_card(machine: Machine, engine: Engine) -> None:
    def work(model: Any) -> Iterator[int]:
        yield 1
        model.encode_pixels(torch.zeros(1, 3, model.image_size, model.image_size, dtype=torch.uint8))
        yield 2

    with engine.session("ann") as session:
        steps = session.steps(work)
        assert next(steps) == 1
        machine.error = torch.AcceleratorError(ASSERTION)
        with pytest.raises(DeviceLost):
            list(steps)
    with engine.session("ann") as session:
        assert list(session.steps(work)) == [1, 2]
    assert machine.loads == ["auto", "cpu"]


def test_a_card_that_is_lost_while_a_model_is_loaded(machine: Machine, engine: Engine) -> None:
    machine.error = torch.AcceleratorError("CUDA error: no CUDA-capable device is detected")
    with pytest.raises(DeviceLost):
        answer(engine)
    assert torch.equal(answer(engine), FakeBackend(device="cpu").embed_images(RED))
    assert machine.loads == ["auto", "cpu"]


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (torch.AcceleratorError("an illegal memory access was encountered"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (RuntimeError("MPS backend: command buffer exited with error status."), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (RuntimeError("CUDA error: out of memory"), False),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), False),
        (ValueError("CUDA error: in somebody's text"), False),
    ],
)
def test_which_errors_mean_a_lost_device(error: Exception, lost: bool) -> None:
    def work() -> None:
        raise error

    assert (device_lost(error) is not None) is lost
    assert isinstance(attempt(work).error, DeviceLost) is lost


def test_another_error_loads_nothing_anew(machine: Machine, engine: Engine) -> None:
    answer(engine)
    machine.error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1"), engine.session("bob") as session:
        session.embed_texts(["a dog"])
    machine.error = MemoryError()
    with pytest.raises(OutOfResources), engine.session("bob") as session:
        session.embed_texts(["a dog"])
    machine.error = None
    with engine.session("bob") as session:
        session.embed_texts(["a dog"])
    assert (machine.loads, engine.lost, engine.status()["status"]) == (["auto"], "", "ready")
