"""`heads`: the texts that span what each attention head of a ViT's block adds to embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import DeviceOption, JsonOption, SeedOption
from workbench.cli.output import say, write, write_json, write_rows
from workbench.cli.progress import progress
from workbench.errors import BadInput
from workbench.image_inputs import image_files
from workbench.models import find

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend
    from workbench.neurons.head_survey import HeadSurvey
    from workbench.neurons.text_span import HeadSpan


def heads(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A ViT: a key listed by `models`, or a folder.")],
    block: Annotated[int, typer.Option("--block", help="Number of the block, from 0; -1 for the last.")] = -1,
    head: Annotated[int | None, typer.Option("--head", help="One head alone (default: all of the block).")] = None,
    texts: Annotated[int, typer.Option("--texts", min=1, max=60, help="Texts of a head.")] = 10,
    corpus: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="PATH", help="Files or a folder (default: the built-in images); repeatable."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Describe attention heads by texts, chosen greedily, beside shuffled texts (after Gandelsman et al. 2024)."""
    find(model)
    files = image_files(corpus) if corpus else []
    from apps.shell._loading import load_and_say
    from workbench.neurons.atlas_building import word_table
    from workbench.neurons.head_passes import check_block, token_head
    from workbench.neurons.text_span import text_span

    backend = load_and_say(model, device, "auto").backend
    blocks = token_head(backend.anatomy).blocks
    number = len(blocks) - 1 if block == -1 else block
    check_block(token_head(backend.anatomy), number)
    if head is not None and not 0 <= head < blocks[number].heads:
        raise BadInput(f"Block {number} has the heads 0 to {blocks[number].heads - 1}; got {head}.")
    seen, table = _looked(backend, files, number), word_table(backend)
    wanted = range(seen.outputs.shape[1]) if head is None else (head,)
    spans = [text_span(seen.outputs[:, at], table, block=number, head=at, count=texts, seed=seed) for at in wanted]
    if as_json:
        write_json([_plain(one, seen) for one in spans])
        return
    for one in spans:
        write(f"Block {one.block}, head {one.head}: spread {one.spread:.4f}")
        lines = [(text.text, f"{100 * text.explained:.1f} %", f"{100 * text.by_chance:.1f} %") for text in one.texts]
        write_rows(("text", "explained", "by chance"), lines, right=("explained", "by chance"))
    say(
        f"On {len(seen.items)} images. Explained: share of the variance of what the head adds, along this text and "
        f"those above it; by chance: the same for shuffled texts. Seed {seed}."
    )


def _looked(backend: TorchBackend, files: list[str], block: int) -> HeadSurvey:
    from workbench.neurons import corpus as corpora
    from workbench.neurons.head_survey import HeadSurvey, head_survey

    items = corpora.folder(files) if files else corpora.built_in()
    with progress() as bar:
        task = bar.add_task("Looking", total=len(items))
        for step in head_survey(backend, items, block):
            if isinstance(step, HeadSurvey):
                return step
            bar.update(task, completed=step.done)
    raise AssertionError("looking ends in a survey")


def _plain(one: HeadSpan, seen: HeadSurvey) -> dict[str, Any]:
    return {
        "block": one.block, "head": one.head, "spread": one.spread, "images": len(seen.items),
        "texts": [
            {
                "text": text.text, "explained": text.explained, "by_chance": text.by_chance,
                "strongest": [seen.items[place].key for place in text.strongest],
            }
            for text in one.texts
        ],
    }  # fmt: skip
