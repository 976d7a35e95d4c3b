"""`cache ls` and `cache clear`: what embeddings are kept on this disk, and the way out."""

from __future__ import annotations

import time
from dataclasses import asdict

import typer

from workbench.cli.options import JsonOption
from workbench.cli.output import say, write, write_json

cache = typer.Typer(help="List or delete the embeddings that `embed --cache` and audits cache on this disk.")


@cache.command("ls")
def ls(as_json: JsonOption = False) -> None:
    """List cached embeddings: where, how many, and the limit."""
    from audits.running.vectors import VectorStore
    from workbench.cache import DiskCache

    disk = DiskCache()
    all_kept, vectors = disk.ls(), VectorStore().usage()
    if as_json:
        rows = [asdict(kept) for kept in all_kept]
        audits = {**asdict(vectors), "folder": str(vectors.folder)}
        write_json(
            {"place": str(disk.folder), "bytes": disk.bytes, "limit": disk.limit, "kept": rows, "audits": audits}
        )
        return
    for kept in all_kept:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.used))
        write(f"{kept.fingerprint}  {kept.kind:8} {kept.rows:9,} vectors  {kept.bytes / 1e6:9.1f} MB  used {used}")
    say(f"{disk.bytes / 1e6:.1f} MB of at most {disk.limit / 1e6:,.0f} MB, in {disk.folder}")
    say(f"audits: {vectors.bytes / 1e6:.1f} MB of at most {vectors.limit / 1e6:,.0f} MB, in {vectors.folder}")


@cache.command("clear")
def clear(as_json: JsonOption = False) -> None:
    """Delete all cached embeddings; models and images stay."""
    from audits.running.vectors import VectorStore
    from workbench.cache import DiskCache

    disk = DiskCache()
    freed = disk.clear() + VectorStore().clear()
    if as_json:
        write_json({"place": str(disk.folder), "freed": freed})
    else:
        say(f"Freed {freed / 1e6:.1f} MB in {disk.folder}")
