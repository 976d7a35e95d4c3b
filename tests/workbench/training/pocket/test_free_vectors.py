"""Free vectors go where pictures are; what no picture shows stays where it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from workbench.training.pocket.bank import COLOURS, COUNTS
from workbench.training.pocket.material import Material
from workbench.training.texts import vectors
from workbench.training.texts.seen import KINDS, NAMES, NONE, Seen
from workbench.training.texts.vectors import Choices, Goals, Vectors

DIM, EACH = 48, 40


def _unit(*shape: int, seed: int) -> Tensor:
    return functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def pictures(material: Material, truth: Vectors) -> Seen:
    """Pictures that lie just where true vectors have them."""
    bank, generator = material.bank, torch.Generator().manual_seed(3)
    place = bank.place
    parts: list[dict[str, Tensor]] = []
    words = torch.tensor([place[word] for word in ("cat", "tree", "tabby", "crane", "bird")])
    named = torch.tensor([place[name] for name in ("cat", "tabby", "tree")])

    def add(kind: str, rows: Tensor, shown: Tensor, two: Tensor, label: Tensor) -> None:
        n = len(rows)
        several = torch.full((n, NAMES), NONE)
        several[:, 0] = shown
        weights = torch.zeros(n, NAMES)
        weights[:, 0] = 1
        answer = torch.zeros(n, 1000)
        answer[label >= 0, label[label >= 0]] = 1
        noisy = functional.normalize(rows + 0.05 * torch.randn(rows.shape, generator=generator), dim=-1)
        parts.append(
            {
                **{"features": noisy, "kind": torch.full((n,), list(KINDS).index(kind)), "shown": several},
                **{"weights": weights, "soft": torch.zeros(n), "answer": answer, "label": label, "parts": two},
            }
        )

    def pick(among: Tensor) -> Tensor:
        return among[torch.randint(len(among), (EACH,), generator=generator)]

    nothing = torch.full((EACH,), NONE)
    for kind in ("word", "penned"):
        word = pick(words)
        add(kind, truth.bare[word], word, torch.stack([word, nothing], 1), nothing)
    label = torch.randint(3, (EACH,), generator=generator)
    thing = material.first_names[label]
    add("photo", truth.photo[thing], thing, torch.stack([nothing, nothing], 1), label)
    for kind in ("attacked", "noted"):
        word, thing = pick(words[:2]), pick(words[2:])
        both = functional.normalize(truth.photo[thing] + truth.bare[word], dim=-1)
        add(kind, both, thing, torch.stack([word, thing], 1), nothing)
    drawn = pick(named)
    add("drawing", truth.drawn[drawn], drawn, torch.stack([nothing, nothing], 1), nothing)
    for kind, names, said in (("colour", COLOURS, truth.coloured), ("count", COUNTS, truth.counted)):
        which, thing = torch.randint(len(names), (EACH,), generator=generator), pick(named)
        own = torch.tensor([place[name] for name in names])[which]
        add(kind, said(which, thing), own, torch.stack([own, thing], 1), nothing)
    one, two = pick(named), pick(words[3:])
    add("pair", truth.paired(one, two), one, torch.stack([one, two], 1), nothing)
    return Seen(torch.eye(DIM), **{name: torch.cat([part[name] for part in parts]) for name in parts[0]})


@pytest.fixture(scope="module")
def fitted(material: Material) -> tuple[Seen, Vectors, Vectors, Choices]:
    n = len(material.bank.names)
    tables = {kind: _unit(n, DIM, seed=k) for k, kind in enumerate(vectors.FORMS)}
    truth = Vectors(**tables, colour=_unit(11, DIM, seed=7), count=_unit(5, DIM, seed=8), pair=torch.zeros(DIM))
    seen = pictures(material, truth)
    start = Vectors.begun({kind: _unit(n, DIM, seed=20 + k) for k, kind in enumerate(vectors.FORMS)})
    choices = Choices.of(material.bank, material.first_names)
    goals = Goals((20.0, 40.0), weights=vectors.WEIGHTS | {"synonyms": 1.0})  # of the two pairs here, not of hundreds
    *steps, made = vectors.fit(seen, start, choices=choices, goals=goals, steps=250, seed=0)
    assert isinstance(made, Vectors)
    assert [step for step, _ in steps] == list(range(1, 251))  # type: ignore[misc]
    first, last = steps[0][1], steps[-1][1]  # type: ignore[index]
    assert set(first) == set(vectors.WEIGHTS)
    assert all(last[name] < first[name] for name in ("read", "drawing", "colour", "count", "pair", "beats"))  # type: ignore[operator]
    return seen, start, made, choices


def test_shapes(fitted: tuple[Seen, Vectors, Vectors, Choices], material: Material) -> None:
    seen, _, made, choices = fitted
    n = len(material.bank.names)
    for kind in vectors.FORMS:
        table = getattr(made, kind)
        assert table.shape == (n, DIM)
        torch.testing.assert_close(table.norm(dim=-1), torch.ones(n))
    assert (made.colour.shape, made.count.shape, made.pair.shape) == ((11, DIM), (5, DIM), (DIM,))
    assert choices.first.shape == (1000,)
    assert (choices.colours.shape, choices.counts.shape) == ((11,), (5,))
    for phrased in (made.coloured, made.counted, made.paired):
        rows = phrased(torch.tensor([0, 1]), torch.tensor([3, 4]))
        assert rows.shape == (2, DIM)
        torch.testing.assert_close(rows.norm(dim=-1), torch.ones(2))
    assert vectors.answers(seen, made, choices, goals=Goals((20.0, 40.0))).shape == (EACH, 1000)
    assert made.coloured(torch.tensor([0, 1]), torch.tensor([3, 4])).shape == (2, DIM)


def test_they_go_where_the_pictures_are(fitted: tuple[Seen, Vectors, Vectors, Choices], material: Material) -> None:
    seen, start, made, choices = fitted

    def right(kind: str, table: Tensor, among: Tensor, truth: Tensor) -> float:
        rows = seen.embedded(seen.of(kind))
        return float((among[(rows @ table[among].T).argmax(1)] == truth).float().mean())

    words = seen.parts[seen.of("word"), 0]
    assert right("word", start.bare, choices.read, words) < 0.5 < 0.9 < right("word", made.bare, choices.read, words)
    drawn = seen.shown[seen.of("drawing"), 0]
    assert right("drawing", made.drawn, choices.pictured, drawn) > 0.9
    bare, photo = (right("drawing", table, choices.pictured, drawn) for table in (made.bare, made.photo))
    assert min(bare, photo) > 0.5 > right("drawing", start.photo, choices.pictured, drawn)  # whatever it is called
    for kind, names, said in (("colour", COLOURS, made.coloured), ("count", COUNTS, made.counted)):
        some = seen.of(kind)
        texts = said(torch.arange(len(names))[None], seen.parts[some, 1:])
        best = torch.einsum("nd,nkd->nk", seen.embedded(some), texts).argmax(1)
        assert [names[k] for k in best] == [material.bank.names[place] for place in seen.parts[some, 0]]


def test_a_word_beats_its_thing(fitted: tuple[Seen, Vectors, Vectors, Choices]) -> None:
    seen, start, made, _ = fitted

    def beaten(now: Vectors) -> float:
        some = seen.of("attacked", "noted")
        word, thing = seen.parts[some].T
        return float(((seen.embedded(some) * (now.photo[word] - now.photo[thing])).sum(-1) > 0).float().mean())

    assert beaten(start) < 0.85 < 0.95 < beaten(made)


def test_what_no_picture_shows_stays(fitted: tuple[Seen, Vectors, Vectors, Choices], material: Material) -> None:
    _, start, made, _ = fitted
    place = material.bank.place
    moved = 1 - (start.bare * made.bare).sum(-1)
    shown = moved[[place[name] for name in ("cat", "tree", "tabby", "crane", "bird")]]
    assert shown.min() > 1.5 * moved.median()


def test_the_same_seed_asks_the_same_pictures(
    fitted: tuple[Seen, Vectors, Vectors, Choices], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, start, _, choices = fitted
    monkeypatch.setattr(vectors, "MANY", 10)

    def first(seed: int) -> object:
        return next(iter(vectors.fit(seen, start, choices=choices, goals=Goals((20.0, 40.0)), steps=5, seed=seed)))

    assert first(0) == first(0) != first(1)
