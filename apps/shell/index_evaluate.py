"""`index evaluate`: how well sentences find their images or videos in an index, and these their sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shell.index import NameArgument, session
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption
from workbench.cli.output import say, write_json, write_rows
from workbench.cli.progress import progress

if TYPE_CHECKING:
    from workbench.retrieval.captions import CaptionEvaluation
    from workbench.retrieval.evaluation import RetrievalScores


def evaluate(
    name: NameArgument,
    captions: Annotated[
        Path, typer.Argument(metavar="CSV", help="A column path (or video_id) and a column caption (or sentence).")
    ],
    pooling: Annotated[
        str, typer.Option("--pooling", metavar="P", help="Frames of a video to one score: mean, max, top.")
    ] = "mean",
    head: Annotated[
        Path | None, typer.Option("--head", metavar="FILE", help="A seqTransf head (CLIP4Clip) as safetensors.")
    ] = None,
    model: Annotated[str, typer.Option("--model", metavar="KEY", help="Of an index with several models: which.")] = "",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure R@1, R@5, R@10, median and mean rank both ways, and what the correction of hubs changes."""
    from apps.shared import caption_scores as scores
    from workbench.retrieval.captions import evaluate_captions, read_captions
    from workbench.retrieval.index import find_table
    from workbench.retrieval.sequence import read_head

    pairs = read_captions(captions)
    sequence = read_head(head) if head is not None else None
    key = find_table(name, model=model).model
    with session(key, device, dtype) as opened, progress() as bar:
        table = find_table(name, model=key, fingerprint=opened.fingerprint)
        task = bar.add_task("Sentences", total=len(pairs))
        folder = str(captions.absolute().parent)
        steps = evaluate_captions(opened, table, pairs, folder=folder, pooling=pooling, head=sequence)
        while True:
            try:
                now = next(steps)
                bar.update(task, completed=now.done, total=now.total, description=now.unit)
            except StopIteration as end:
                result: CaptionEvaluation = end.value
                break
    if as_json:
        write_json(plain(result))
        return
    write_rows(scores.HEADERS, scores.rows(result))
    say(scores.summary(result).replace("**", "").replace("\\", ""))


def plain(result: CaptionEvaluation) -> dict[str, Any]:
    """Return an evaluation as plain data; shares are 0..1."""
    gain = result.gain.difference
    return {
        "sentences": result.sentences,
        "items": result.items,
        "missing": list(result.missing),
        "pooling": result.pooling,
        "text_to_image": _scores(result.to_items),
        "image_to_text": _scores(result.to_sentences),
        "text_to_image_corrected": _scores(result.corrected),
        "gain": {"value": gain.value, "low": gain.low, "high": gain.high, "p": result.gain.p_value},
        "hubness": list(result.hubness),
    }


def _scores(measured: RetrievalScores) -> dict[str, Any]:
    shares = {f"R@{k}": {"value": one.value, "low": one.low, "high": one.high} for k, one in measured.recall.items()}
    return {**shares, "median_rank": measured.median_rank, "mean_rank": measured.mean_rank, "n": measured.n}
