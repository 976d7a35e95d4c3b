"""`index videos`: rank the videos of an index for a sentence, with the moments that fit."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from apps.shell.index import NameArgument, say_reading, session
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption
from workbench.cli.output import say, write, write_json

MOMENTS = 3  # of each video, in the list


def videos(
    name: NameArgument,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Text, images and weights, as `index search` takes.")],
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="K", help="The K best; without it, those that chance does not explain."),
    ] = None,
    pooling: Annotated[
        str, typer.Option("--pooling", metavar="P", help="Frames of a video to one score: mean, max, top.")
    ] = "mean",
    model: Annotated[str, typer.Option("--model", metavar="KEY", help="Of an index with several models: which.")] = "",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Find the videos that fit a query, and when each shows it."""
    from workbench.errors import unknown_name
    from workbench.retrieval.index import find_table
    from workbench.retrieval.pooling import POOLINGS
    from workbench.retrieval.query import parse_query

    terms = parse_query(query, files=True)
    if pooling not in POOLINGS:
        raise unknown_name("pooling", pooling, POOLINGS)
    key = find_table(name, model=model).model
    with session(key, device, dtype) as opened:
        from workbench.retrieval.videos import search_videos

        say_reading(opened, terms)
        hits = search_videos(
            opened, find_table(name, model=key, fingerprint=opened.fingerprint), terms, pooling=pooling
        )
    shown = hits[:top] if top is not None else [hit for hit in hits if hit.likely]
    if as_json:
        write_json([_plain(hit) for hit in shown])
        return
    for hit in shown:
        moments = ", ".join(f"{one.start:.1f} s to {one.end:.1f} s" for one in hit.moments[:MOMENTS] if one.likely)
        write(f"{hit.score:+.3f}  beats {100 * hit.beats:6.2f} %  {hit.path}  {moments}")
    say(f"{len(shown)} of {len(hits)} videos; pooling {pooling}.")


def _plain(hit: Any) -> dict[str, Any]:
    moments = [vars(one) for one in hit.moments if one.likely]
    return {**{name: getattr(hit, name) for name in ("path", "score", "beats", "chance", "likely")}, "moments": moments}
