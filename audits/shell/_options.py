"""The options that several commands share, worded once, and how `--set` is read.

Knows no command.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from workbench.errors import BadInput

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
OutOption: TypeAlias = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="The folder of run directories; it is made where it is missing.")
]
ModelsOption: TypeAlias = Annotated[
    list[str], typer.Option("--model", metavar="KEY", help="A key of `list models`, or a folder; may be given again.")
]
DatasetsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset", metavar="KEY", help="folder:PATH, csv:PATH, hf:NAME or a built-in key; may be given again."
    ),
]
ProtocolOption: TypeAlias = Annotated[
    str | None, typer.Option("--protocol", metavar="NAME", help="A protocol's name, or a YAML file with one.")
]
SetOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the protocol; YAML values.")
]
LimitOption: TypeAlias = Annotated[
    int | None, typer.Option("--limit", metavar="N", help="Take N pictures only; the run is marked as partial.")
]
SeedOption: TypeAlias = Annotated[int, typer.Option("--seed", help="Of all that is drawn by lot.")]
EngineOption: TypeAlias = Annotated[
    str, typer.Option("--engine", help="local, or ray: the embed stage on Ray Data (the extra `ray`).")
]
WorkersOption: TypeAlias = Annotated[int, typer.Option("--workers", help="Models that the ray engine keeps at work.")]
DeviceOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="auto (CUDA, else MPS, else CPU), cpu, cuda or mps.")
]
DtypeOption: TypeAlias = Annotated[str, typer.Option("--dtype", help="float32, bfloat16, float16 or auto.")]
AgainOption: TypeAlias = Annotated[bool, typer.Option("--again", help="Run even what is done already.")]
DownloadOption: TypeAlias = Annotated[
    bool, typer.Option("--download", help="Let hf: fetch a data set that is not on this machine.")
]


def settings(given: Sequence[str] | None) -> dict[str, Any]:
    """Return what `--set key=value` asks for.

    Raises:
        BadInput: no key, or a value that is no YAML.
    """
    import yaml

    changed: dict[str, Any] = {}
    for entry in given or ():
        key, equals, value = entry.partition("=")
        if not equals or not key.strip():
            raise BadInput(f"--set takes KEY=VALUE; got {entry[:80]!r}.")
        try:
            changed[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise BadInput(f"The value of --set {key.strip()[:40]} is no YAML: {value[:80]!r}.") from None
    return changed
