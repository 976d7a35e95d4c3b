"""`video`: find the moments of a video that fit a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.shell.index import say_reading, session
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import progress
from workbench.errors import BadInput


def video(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A video on this machine.")],
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Text, images and weights, as `index search` takes.")],
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="K", help="The K best segments; without it, those that chance does not explain."),
    ] = None,
    fps: Annotated[float, typer.Option("--fps", help="Frames a second that are looked at.")] = 2.0,
    max_frames: Annotated[
        int, typer.Option("--max-frames", metavar="N", help="At most N frames, spread over the video; 0: no limit.")
    ] = 0,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Find when a video shows what a sentence says: segments with start and end in seconds, the best first."""
    from workbench.retrieval.decoding import facts
    from workbench.retrieval.query import parse_query

    terms = parse_query(query, files=True)
    if max_frames < 0 or not fps > 0:
        raise BadInput(f"--fps is above 0 and --max-frames is 0 or more; got {fps} and {max_frames}.")
    facts(file)  # a file that is no video is refused before a model is loaded
    with session(model, device, dtype) as opened, stop_on_ctrl_c() as stop, progress() as bar:
        from workbench.retrieval.chance import Chance
        from workbench.retrieval.moments import VideoVectors, curve, embed_video, find_moments
        from workbench.retrieval.query import embed_query
        from workbench.retrieval.stock import stock_vectors

        say_reading(opened, terms)
        vector = embed_query(opened, terms)
        stock = stock_vectors(opened) if all(term.text for term in terms) else None
        task = bar.add_task("Frames", total=None)
        for step in embed_video(opened, file, fps=fps, max_frames=max_frames, stopped=stop.is_set):
            if isinstance(step, VideoVectors):
                vectors = step
            else:
                bar.update(task, completed=step.done, total=step.total)
        moments = find_moments(vectors, *curve(vectors, vector, Chance(stock)))
    moments = moments[:top] if top is not None else [one for one in moments if one.likely]
    if as_json:
        write_json([vars(one) for one in moments])
    for one in () if as_json else moments:
        write(f"{one.start:9.2f} s to {one.end:9.2f} s  {one.score:+.3f}")
    say(f"{len(moments)} segments in {vectors.end:.1f} s of video; {len(vectors.seconds)} frames looked at.")
