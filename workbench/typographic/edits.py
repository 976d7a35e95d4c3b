"""Defences as changes of a model's towers: paint over text, name it in prompts, a learned prefix, a learned projection.

Each takes a loaded base, the settings and the tensors of an edited model's folder, and returns changed towers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from workbench.backend import Tokens
from workbench.errors import BadInput, Unsupported, WeightsRefused
from workbench.heads import without_heads
from workbench.hooks import hooked
from workbench.neurons.head_passes import token_head
from workbench.typographic.learned import MOST_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.loading.torch_backend import TorchBackend, TowerParts

SUFFIXES = ('with the word "text" on it', "with a written label on it", "and a note with a word on it")
LONGEST = 64  # rows of a learned prefix
WHOLE = 1e-3  # how far from orthonormal removed directions may be


def paint_over(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Find text in each prepared picture and paint it over, before the image tower sees it.

    Args:
        base: the model.
        settings: `finder`, a key of `finding.FINDERS`, and `threshold`, 0..1, the least score of text.
        tensors: none.
    """
    from workbench.typographic.finding import THRESHOLD, finder
    from workbench.typographic.painting import cover

    find = finder(str(settings.get("finder", "own")), float(settings.get("threshold", THRESHOLD)))
    before = base.towers.repair

    def repair(square: Tensor) -> Tensor:
        square = square if before is None else before(square)
        return cover(square, find(square))

    return replace(base.towers, repair=repair)


def name_the_text(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Average each text with the same text and a clause that names a written word: `a photo of a dog. with a label`.

    Args:
        base: the model.
        settings: `suffixes`, up to 16 clauses, and `share`, 0..1, the weight of the longer texts.
        tensors: none.
    """
    suffixes, share = tuple(settings.get("suffixes", SUFFIXES)), float(settings.get("share", 0.5))
    if not 0 < len(suffixes) <= 16 or not 0 <= share <= 1:
        raise BadInput(f"Prompts name text with 1 to 16 clauses and a share of 0..1; got {len(suffixes)} and {share}.")
    start, limit, end = _layout(base)
    clauses = [_body(base, suffix, start) for suffix in suffixes]
    plain = base.towers.text

    def text(ids: Tensor, mask: Tensor) -> Tensor:
        rows = (1 - share) * functional.normalize(plain(ids, mask).float(), dim=-1)
        for clause in clauses:
            at = _first(ids, end, start)
            longer = _insert(ids, mask, at, extra=clause.to(ids.device), limit=limit)
            rows = rows + share / len(clauses) * functional.normalize(plain(*longer).float(), dim=-1)
        return rows

    longest = max(len(clause) for clause in clauses)
    return replace(base.towers, text=text, tokenize=_shorter(base.towers.tokenize, longest))


def prefix(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Put learned rows among each text's token embeddings, before the class name.

    Args:
        base: the model; its text tower has a table of token embeddings.
        settings: `after`, the words that a prompt begins with where the rows stand behind them ("a photo of a");
            elsewhere they stand at the start. `names`, those whose prompt, `after` and the name and a full stop, has
            rows of its own.
        tensors: `prefix`, (rows, width), for all texts but those; `named`, (names, rows, width), where there are names.

    Raises:
        Unsupported: a text tower without a table of tokens.
        BadInput: no list of names, or more than 2,000.
        WeightsRefused: no such tensor, or one of another shape.

    Source:
        Azuma and Matsui 2023, arXiv:2304.04512 (Defense-Prefix); rows of its own for each class: Zhou et al. 2022,
        arXiv:2109.01134, section 3.2 (class-specific context).
    """
    table = base.towers.token_embedding
    if table is None:
        raise Unsupported(f"{base.spec.title} has no table of token embeddings, so no prefix can be put there.")
    rows, own, names = tensors.get("prefix"), tensors.get("named"), settings.get("names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > MOST_NAMES:
        raise BadInput(
            f"A prefix has a list of up to {MOST_NAMES} names with rows of their own; got {str(names)[:80]}."
        )
    if rows is None or rows.ndim != 2 or rows.shape[1] != table.embedding_dim or not 0 < len(rows) <= LONGEST:
        shape = None if rows is None else tuple(rows.shape)
        raise WeightsRefused(
            f"A prefix is 1 to {LONGEST} rows of {table.embedding_dim} numbers, as `prefix`; got {shape}."
        )
    if names and (own is None or own.shape != (len(names), *rows.shape)):
        shape = None if own is None else tuple(own.shape)
        raise WeightsRefused(
            f"{len(names)} names have {len(rows)} rows of {rows.shape[1]} numbers each, as `named`; got {shape}."
        )
    text = prefixed(base, rows, str(settings.get("after", "")), names=names, own=own)
    return replace(base.towers, text=text, tokenize=_shorter(base.towers.tokenize, len(rows)))


def prefixed(
    base: TorchBackend, rows: Tensor, after: str, *, names: Sequence[str] = (), own: Tensor | None = None
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the text tower with rows among its token embeddings; gradients flow to the rows.

    Args:
        base: the model.
        rows: (rows, width).
        after: the words behind which they stand, where a text begins with them.
        names: whose prompts have rows of their own.
        own: (names, rows, width), those.
    """
    start, limit, _ = _layout(base)
    opening = _body(base, after, start) if after.strip() else torch.zeros(0, dtype=torch.int64)
    filler = _body(base, "a", start)[:1].repeat(len(rows))  # ordinary tokens, whose rows are replaced
    known = base.towers.tokenize([f"{after} {name}.".lstrip() for name in names]) if names else None
    table, plain = base._token_embedding(), base.towers.text

    def text(ids: Tensor, mask: Tensor) -> Tensor:
        head = ids[:, start : start + len(opening)]
        begins = (head == opening.to(ids.device)).all(dim=1) if head.shape[1] == len(opening) else torch.zeros(len(ids))
        at = start + begins.long() * len(opening)
        longer, seen = _insert(ids, mask, at, extra=filler.to(ids.device), limit=limit)
        places = torch.arange(longer.shape[1], device=ids.device)
        inside = (places >= at[:, None]) & (places < at[:, None] + len(rows))  # (n, length)
        which = (places - at[:, None]).clamp(0, len(rows) - 1)
        learned = rows.to(ids.device).expand(len(ids), *rows.shape)
        if known is not None and own is not None:
            name, is_known = _match_texts(ids, known)
            learned = torch.where(is_known[:, None, None], own.to(learned)[name], learned)
        learned = learned[torch.arange(len(ids), device=ids.device)[:, None], which]  # (n, length, width)

        def put(given: Tensor) -> Tensor:
            if given.shape[1] == ids.shape[1]:  # soft rows of the shorter text, from a caller
                source = torch.where(places < at[:, None], places, places - len(rows)).clamp(0, ids.shape[1] - 1)
                given = given.gather(1, source[..., None].expand(-1, -1, given.shape[2]))
            return torch.where(inside[..., None], learned.to(given), given)

        with hooked([(table, put)]):
            return plain(longer, seen)

    return text


def _match_texts(ids: Tensor, known: Tokens) -> tuple[Tensor, Tensor]:
    """Which of the known texts each row is, and whether it is one; (n,) both."""
    width = min(ids.shape[1], known.ids.shape[1])
    fits = torch.tensor([one.tokens <= width for one in known.readings], device=ids.device)
    same = (ids[:, None, :width] == known.ids[:, :width].to(ids.device)).all(dim=2) & fits
    return same.int().argmax(dim=1), same.any(dim=1)


def projection(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Remove directions of the joint space, those along which written words move images, from images and texts.

    Args:
        base: the model.
        settings: none.
        tensors: `removed`, (directions, dim), orthonormal.

    Raises:
        WeightsRefused: no such tensor, of another width, or not orthonormal.

    Source:
        Materzynska et al. 2022, arXiv:2206.07835 (learning to forget to spell).
    """
    removed = tensors.get("removed")
    if removed is None or removed.ndim != 2 or removed.shape[1] != base.dim or len(removed) >= base.dim:
        shape = None if removed is None else tuple(removed.shape)
        raise WeightsRefused(f"A projection removes rows of {base.dim} numbers, as `removed`; got {shape}.")
    removed = removed.float()
    if float((removed @ removed.T - torch.eye(len(removed))).abs().max()) > WHOLE:
        raise WeightsRefused("The directions that a projection removes must be orthonormal; these are not.")

    def without(rows: Tensor) -> Tensor:
        own = removed.to(rows)
        return rows - (rows @ own.T) @ own

    image, text = base.towers.image, base.towers.text
    return replace(
        base.towers, image=lambda pixels: without(image(pixels)), text=lambda ids, mask: without(text(ids, mask))
    )


def heads_off(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Take away what some attention heads add to the class token of a ViT.

    Args:
        base: the model.
        settings: `heads`, pairs of the number of a block and of a head.
        tensors: none.

    Raises:
        Unsupported: no ViT with a class token.
        BadInput: no such head.

    Source:
        Hufe et al. 2025, arXiv:2508.20570 (Dyslexify).
    """
    blocks = token_head(base.anatomy).blocks
    try:
        pairs = [(int(block), int(head)) for block, head in settings["heads"]]
        off = {block: [head for number, head in pairs if number == block] for block, _ in pairs}
        if not off or any(not 0 <= head < blocks[block].heads or block < 0 for block, head in pairs):
            raise ValueError
    except (KeyError, TypeError, ValueError, IndexError):
        raise BadInput(
            f"An edit of heads names pairs of a block, 0 to {len(blocks) - 1}, and a head, 0 to {blocks[0].heads - 1}; "
            f"got {str(settings.get('heads'))[:120]}."
        ) from None

    return base.towers.inside(lambda: without_heads(blocks, off))


@torch.no_grad()
def interpolation(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Move weights part of the way towards tuned ones, in place: the base has to be a copy of its own.

    Args:
        base: the model; its weights are changed.
        settings: `alpha`, 0..1, 0 for the base's weights.
        tensors: tuned weights, by the names of the base's parameters.

    Raises:
        WeightsRefused: none, or one that the base does not have in that shape.

    Source:
        Ilharco et al. 2022, arXiv:2208.05592 (PAINT).
    """
    alpha = float(settings.get("alpha", 0.5))
    if not 0 <= alpha <= 1:
        raise BadInput(f"Weights are interpolated with an alpha of 0..1; got {alpha}.")
    weights = dict(base.towers.module.named_parameters())
    wrong = [name for name, one in tensors.items() if name not in weights or weights[name].shape != one.shape]
    if wrong or not tensors:
        what = f"these fit none: {', '.join(sorted(wrong)[:3])}" if wrong else "there are none"
        raise WeightsRefused(f"Tuned weights are named and shaped as those of {base.spec.title}; {what}.")
    for name, one in tensors.items():
        weights[name].lerp_(one.to(weights[name]), alpha)
    return base.towers


def _layout(base: TorchBackend) -> tuple[int, int, int]:
    """Tokens before a text's first, the context's length, and the id of the token that ends a text."""
    probe = base.towers.tokenize(["a", "dog"])
    start = int(probe.ids[0, 0] == probe.ids[1, 0])
    reading = probe.readings[0]
    return start, reading.limit, int(probe.ids[0, reading.tokens - 1])


def _body(base: TorchBackend, text: str, start: int) -> Tensor:
    """Ids of a text, without those that begin and end it."""
    tokens = base.towers.tokenize([text])
    return tokens.ids[0, start : tokens.readings[0].tokens - 1]


def _first(ids: Tensor, end: int, start: int) -> Tensor:
    """Where each text's end token stands first; (n,)."""
    is_end = ids == end
    is_end[:, :start] = False
    return is_end.int().argmax(dim=1)


def _insert(ids: Tensor, mask: Tensor, at: Tensor, *, extra: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Put tokens into each row at its place, and cut what then is longer than the context."""
    count, places = len(extra), torch.arange(ids.shape[1] + len(extra), device=ids.device)
    source = torch.where(places < at[:, None], places, places - count).clamp(0, ids.shape[1] - 1)  # (n, length + count)
    inside = (places >= at[:, None]) & (places < at[:, None] + count)
    new = extra[(places - at[:, None]).clamp(0, count - 1)] if count else ids.gather(1, source)
    longer = torch.where(inside, new, ids.gather(1, source))
    seen = torch.where(inside, torch.ones_like(longer), mask.gather(1, source))
    return longer[:, :limit], seen[:, :limit]


def _shorter(tokenize: Callable[[Sequence[str]], Tokens], room: int) -> Callable[[Sequence[str]], Tokens]:
    """Leave room for so many tokens: longer texts lose the last ones before their end."""

    def shorter(texts: Sequence[str]) -> Tokens:
        tokens = tokenize(texts)
        limit = tokens.readings[0].limit - room
        readings = tuple(replace(one, tokens=min(one.tokens, limit), limit=limit) for one in tokens.readings)
        ids = tokens.ids[:, :limit].clone()
        for row, one in enumerate(tokens.readings):
            if one.tokens > limit:
                ids[row, -1] = tokens.ids[row, one.tokens - 1]
        return Tokens(ids, tokens.mask[:, :limit], readings)

    return shorter
