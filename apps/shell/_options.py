"""The options that several commands share, worded once.

Knows no command.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

ModelOption: TypeAlias = Annotated[
    str, typer.Option("--model", metavar="KEY", help="Which model answers: a key of `models`, or a folder with one.")
]
DeviceOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="auto (CUDA, else MPS, else CPU), cpu, cuda or mps.")
]
DtypeOption: TypeAlias = Annotated[
    str,
    typer.Option("--dtype", help="auto (float32 on the CPU, bfloat16 on CUDA), float32, bfloat16 or float16."),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
