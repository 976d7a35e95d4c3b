"""What the protocol of a shift audit may set, and which classes are compared in which shift.

Knows no model. The data set says with the column `style` which kind each picture is of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from audits.settings import read_settings
from workbench.errors import BadInput

if TYPE_CHECKING:
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules


class Point(BaseModel):
    """A published model on the plane of base and shifted accuracy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    base: float = Field(gt=0, lt=1)  # accuracy on the classes of the shift
    shifted: float = Field(gt=0, lt=1)
    source: str


class Reference(BaseModel):
    """The model that relative robustness is counted against."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    shifted: float = Field(ge=0, le=1)
    source: str


class Settings(BaseModel):
    """Settings of `shift/natural`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str = "colour"  # the style that the others are compared with
    neighbourhoods: tuple[str, ...] = ()  # styles of video frames: a cluster is an anchor frame and its neighbours
    baseline_points: dict[str, tuple[Point, ...]] = Field(default_factory=dict)  # style -> models of the fit
    relative_to: dict[str, Reference] = Field(default_factory=dict)  # style -> model without the intervention
    min_classes: int = Field(10, ge=2)  # of a shift; with fewer it is not measured


def settings(rules: Rules) -> Settings:
    """Return the checked settings of a protocol.

    Raises:
        BadInput: a setting is unknown or cannot be used.
    """
    return read_settings(Settings, rules)


def shifts(dataset: Dataset, rules: Rules) -> dict[str, tuple[str, ...]]:
    """Return the classes of each shifted style that the base shows too; style -> sorted labels.

    Raises:
        BadInput: no picture is of the base style, there is no other style, or they have no class in common.
    """
    base = settings(rules).base
    table = dataset.table
    known = set(table["label"][table["style"] == base]) - {""}
    if not known:
        raise BadInput(f"No picture is of the base style {base!r}; the column style says: {_some(table['style'])}.")
    styles = sorted(set(table["style"]) - {base, ""})
    if not styles:
        raise BadInput(f"A shift is measured against the base style {base!r}; all pictures are of it.")
    shared = {style: tuple(sorted(known & set(table["label"][table["style"] == style]))) for style in styles}
    if not any(shared.values()):
        raise BadInput(f"No shift shares a class with the base style {base!r}; nothing can be compared.")
    return shared


def _some(values: object) -> str:
    return ", ".join(sorted({str(value)[:40] for value in values})[:5])  # type: ignore[attr-defined]
