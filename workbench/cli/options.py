"""The options that several commands share, worded once, and how `--set` is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from workbench.errors import BadInput

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ModelOption: TypeAlias = Annotated[
    str, typer.Option("--model", metavar="KEY", help="A key listed by `models`, or a folder.")
]
OutOption: TypeAlias = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="The folder of run directories; made if it is missing.")
]
ModelsOption: TypeAlias = Annotated[
    list[str], typer.Option("--model", metavar="KEY", help="A key listed by `models`, or a folder; repeatable.")
]
DatasetsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--dataset", metavar="KEY", help="folder:PATH, csv:PATH, hf:NAME or a built-in key; repeatable."),
]
ProtocolOption: TypeAlias = Annotated[
    str | None, typer.Option("--protocol", metavar="NAME", help="A protocol's name, or a YAML file.")
]
SetOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a protocol setting (YAML); repeatable.")
]
LimitOption: TypeAlias = Annotated[
    int | None, typer.Option("--limit", metavar="N", help="Use only N images; the run is marked partial.")
]
SeedOption: TypeAlias = Annotated[int, typer.Option("--seed", min=0, help="Random seed, from 0.")]
SeedsOption: TypeAlias = Annotated[
    int, typer.Option("--seeds", min=1, max=50, help="Run with so many seeds, from --seed on; report the spread.")
]
EngineOption: TypeAlias = Annotated[
    str, typer.Option("--engine", help="local, or ray: embed with Ray Data (extra `ray`).")
]
WorkersOption: TypeAlias = Annotated[int, typer.Option("--workers", help="Number of Ray workers.")]
DeviceOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="auto (CUDA, else MPS, else CPU), cpu, cuda, mps or openvino.")
]
DtypeOption: TypeAlias = Annotated[
    str, typer.Option("--dtype", help="float32, bfloat16, float16, or auto (float32 on the CPU, bfloat16 on CUDA).")
]
AgainOption: TypeAlias = Annotated[bool, typer.Option("--again", help="Run again even where a finished run exists.")]
DownloadOption: TypeAlias = Annotated[
    bool, typer.Option("--download", help="Let hf: download a data set that is not on this machine.")
]
HtmlOption: TypeAlias = Annotated[
    bool, typer.Option("--html", help="Write an HTML report of these runs to report.html in --out.")
]


def settings(given: Sequence[str] | None) -> dict[str, Any]:
    """Return the settings of `--set KEY=VALUE`.

    Raises:
        BadInput: no key, or a value that is not YAML.
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
            raise BadInput(f"The value of --set {key.strip()[:40]} is not YAML: {value[:80]!r}.") from None
    return changed
