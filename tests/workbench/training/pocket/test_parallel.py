"""Shards give the gradients of the whole batch, whichever process computes them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from workbench.errors import OutOfResources
from workbench.training.pocket import parallel

pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="needs a system that forks"
)


class Toy(nn.Module):
    """Two layers; an order asks for one of them, or for both."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(3, 4).double(), nn.Linear(3, 2).double()

    def forward(self, order: tuple[str, Any]) -> tuple[Tensor, ...]:
        kind, rows = order
        given = torch.from_numpy(rows)
        return (self.first(given), self.second(given)) if kind == "both" else (self.second(given).sin(),)


def loss(first: Tensor, second: Tensor, again: Tensor) -> Tensor:
    """One that no shard could take by itself: all rows meet."""
    return (first @ first.T).softmax(1).log().diagonal().sum() + (second.T @ again).square().sum()


@pytest.fixture(params=[1, 2, 3])
def given(request: pytest.FixtureRequest) -> Iterator[tuple[Toy, parallel.DataParallel]]:
    toy = Toy()
    with parallel.DataParallel(request.param, toy, list(toy.parameters())) as made:
        yield toy, made


def whole(toy: Toy, rows: Tensor, others: Tensor) -> tuple[Tensor, list[Tensor]]:
    value = loss(*toy(("both", rows.numpy())), *toy(("second", others.numpy())))
    return value, list(torch.autograd.grad(value, list(toy.parameters())))


def in_shards(made: parallel.DataParallel, rows: Tensor, others: Tensor) -> Tensor:
    places = made.split(len(rows)), made.split(len(others), reverse=True)
    first, second = zip(*made.run([("both", rows[place].numpy()) for place in places[0]]), strict=True)
    again = [one for (one,) in made.run([("second", others[place].numpy()) for place in places[1]])]
    value = loss(*(parallel.gather(part, places[0]) for part in (first, second)), parallel.gather(again, places[1]))
    value.backward()
    made.backward()
    return value


def test_values_and_gradients_are_those_of_one_graph(given: tuple[Toy, parallel.DataParallel]) -> None:
    toy, made = given
    for many in (7, 2):  # with three shards the last one has nothing to do at times
        rows, others = torch.randn(many, 3).double(), torch.randn(many, 3).double()
        want, grads = whole(toy, rows, others)
        toy.zero_grad()
        torch.testing.assert_close(in_shards(made, rows, others), want)
        for part, grad in zip(toy.parameters(), grads, strict=True):
            torch.testing.assert_close(part.grad, grad)
        with torch.no_grad():
            for part in toy.parameters():  # the workers learn of it
                part -= 0.1 * part.grad


def test_what_is_asked_of_no_shard_has_no_gradient(given: tuple[Toy, parallel.DataParallel]) -> None:
    toy, made = given
    rows = torch.randn(6, 3).double()
    (second,) = zip(*made.run([("second", rows[place].numpy()) for place in made.split(6)]), strict=True)
    torch.cat(second).sum().backward()
    made.backward()
    assert toy.first.weight.grad is None
    torch.testing.assert_close(toy.second.bias.grad, (rows @ toy.second.weight.T + toy.second.bias).cos().sum(0))


def test_a_worker_that_fails_stops_the_run(given: tuple[Toy, parallel.DataParallel]) -> None:
    _, made = given
    if made.count == 1:
        return
    orders = [("second", torch.zeros(1, 3).double().numpy()), *[("second", None)] * (made.count - 1)]
    with pytest.raises(RuntimeError, match=r"worker process ended \(exit code 1\)"):
        made.run(orders)


def test_a_worker_that_the_system_ended_is_said_to_be_so() -> None:
    toy = Toy()
    with parallel.DataParallel(2, toy, list(toy.parameters())) as made:
        made._workers[0]._process.kill()
        made._workers[0]._process.join()
        with pytest.raises(OutOfResources, match=r"signal 9.*last checkpoint"):
            made.run([("second", torch.zeros(1, 3).double().numpy())] * 2)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12
def test_workers_end_at_once_even_where_another_process_holds_their_line() -> None:
    toy = Toy()
    with parallel.DataParallel(2, toy, list(toy.parameters())):
        other = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
        other.start()
        before = time.monotonic()
    assert time.monotonic() - before < 5
    other.kill()


def test_threads_are_as_many_as_before(
    given: tuple[Toy, parallel.DataParallel], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, made = given
    before = torch.get_num_threads()
    made.run([("second", torch.zeros(1, 3).double().numpy())] * made.count)
    made.backward()
    assert torch.get_num_threads() == before
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert parallel.worker_count(torch.device("cpu")) == 1  # autograd has threads then, and these do not outlive a fork
