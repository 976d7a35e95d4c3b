"""The cells of a frame: which cases belong to which combination of groups, with names as MetricFrame gives them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import BadInput

Cell = tuple[Any, ...]  # one level of each feature


@dataclass(frozen=True)
class Cells:
    """Rows of every combination of levels; combinations that nobody belongs to hold no rows."""

    sensitive: pd.DataFrame
    control: pd.DataFrame | None

    @property
    def names(self) -> list[str]:
        """Control features in front."""
        return [*self.control_names, *map(str, self.sensitive.columns)]

    @property
    def control_names(self) -> list[str]:
        """None of them: an empty list."""
        return [] if self.control is None else [str(name) for name in self.control.columns]

    def control_rows(self) -> dict[Cell, NDArray[np.intp]]:
        """Rows of each control level; one cell () with everybody where there is no control."""
        if self.control is None:
            return {(): np.arange(len(self.sensitive))}
        return _rows(self.control)

    def group_rows(self) -> dict[Cell, NDArray[np.intp]]:
        """Rows of each combination of control and sensitive levels."""
        both = self.sensitive if self.control is None else pd.concat([self.control, self.sensitive], axis=1)
        return _rows(both)

    def index(self, cells: list[Cell], names: list[str]) -> pd.Index:
        """Return cells as pandas has them: an Index of one feature, a MultiIndex of several."""
        if len(names) == 1:
            return pd.Index([cell[0] for cell in cells], name=names[0])
        return pd.MultiIndex.from_tuples(cells, names=names)  # type: ignore[no-any-return, unused-ignore]


def features(given: Any, base: str, n: int) -> pd.DataFrame:
    """Return features as a table of n rows: columns named as given, else `base`0, `base`1, ….

    Raises:
        BadInput: another number of rows, a missing group, a name twice.
    """
    if isinstance(given, pd.DataFrame):
        table = given.reset_index(drop=True)
    elif isinstance(given, pd.Series):
        table = given.reset_index(drop=True).to_frame(given.name if given.name is not None else f"{base}0")
    elif isinstance(given, Mapping):
        table = pd.DataFrame({name: list(column) for name, column in given.items()})
    else:
        array = np.asarray(given if isinstance(given, np.ndarray) else _objects(given))
        if array.ndim > 2:
            raise BadInput(f"Features are one column or a table of columns; got {array.ndim} dimensions.")
        table = pd.DataFrame(array.reshape(len(array), -1))
        table.columns = pd.Index([f"{base}{at}" for at in range(table.shape[1])])
    if len(table) != n or table.shape[1] == 0:
        raise BadInput(f"Each of the {n} cases needs a value of {base.rstrip('_0')}; got {len(table)} rows.")
    table.columns = pd.Index([str(name) for name in table.columns])
    if table.columns.has_duplicates:
        raise BadInput(f"Feature names must differ; got {', '.join(table.columns)}.")
    for name in table.columns:
        if table[name].isna().any():
            raise BadInput(
                f"The feature {name!r} is missing for {int(table[name].isna().sum())} cases. Name that group."
            )
    return table


def levels(column: pd.Series[Any]) -> list[Any]:
    """Return the groups of a feature in order; groups of kinds that have no common order go by their text."""
    found = list(pd.unique(column))
    try:
        return sorted(found)
    except TypeError:
        return sorted(found, key=lambda level: (type(level).__name__, str(level)))


def _objects(given: Any) -> Any:
    items = list(given)
    if items and isinstance(items[0], list | tuple | np.ndarray):
        return np.array(items, dtype=object)
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def _rows(table: pd.DataFrame) -> dict[Cell, NDArray[np.intp]]:
    each = [levels(table[name]) for name in table.columns]
    codes = np.zeros(len(table), dtype=np.intp)
    for name, known in zip(table.columns, each, strict=True):
        at = {level: position for position, level in enumerate(known)}
        codes = codes * len(known) + table[name].map(at).to_numpy(dtype=np.intp)
    return {cell: np.flatnonzero(codes == at) for at, cell in enumerate(itertools.product(*each))}
