"""Read and change values between the layers of a tower, for the length of a `with` block and no longer.

The device runs other callers' batches between the steps of a job, on the same model: a block must close before a step
ends. The scheduler refuses a step that leaves one open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from workbench.errors import BadInput

if TYPE_CHECKING:
    from torch import Tensor, nn

_state = threading.local()
K = TypeVar("K", bound=Hashable)


def open_blocks() -> int:
    """Number of `hooked` blocks that this thread is in."""
    return getattr(_state, "blocks", 0)


@contextmanager
def hooked(
    functions: Iterable[tuple[nn.Module, Callable[[Tensor], Tensor]]], *, inputs: bool = False
) -> Iterator[None]:
    """Pass what modules return through functions; the hooks are removed in any case.

    Args:
        functions: pairs of a module and what its output is replaced with. Of a tuple, the first value counts.
        inputs: pass what modules receive instead, the first argument or `hidden_states`.
    """

    def outgoing(function: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
        def hook(module: nn.Module, args: Any, out: Any) -> Any:
            return (function(out[0]), *out[1:]) if isinstance(out, tuple) else function(out)

        return hook

    def incoming(function: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if args:
                return (function(args[0]), *args[1:]), kwargs
            return args, {**kwargs, "hidden_states": function(kwargs["hidden_states"])}

        return hook

    with ExitStack() as stack:
        for module, function in functions:
            stack.enter_context(
                module.register_forward_pre_hook(incoming(function), with_kwargs=True)
                if inputs
                else module.register_forward_hook(outgoing(function))
            )
        _state.blocks = open_blocks() + 1
        try:
            yield
        finally:
            _state.blocks -= 1


@contextmanager
def recorded(layers: Mapping[K, nn.Module], *, inputs: bool = False) -> Iterator[dict[K, Tensor]]:
    """Record the layers' outputs of a forward pass, by name, with gradient where there is one.

    What comes next gets a copy: it may work in place, and the record is of the values as they were.

    Args:
        layers: name or number -> module.
        inputs: record what they receive instead, as `hooked` has it.
    """
    values: dict[K, Tensor] = {}

    def record(name: K) -> Callable[[Tensor], Tensor]:
        def function(out: Tensor) -> Tensor:
            values[name] = out
            return out.clone()

        return function

    with hooked([(module, record(name)) for name, module in layers.items()], inputs=inputs):
        yield values


@dataclass(frozen=True)
class Intervention:
    """A change of some units of one layer: `ablate`, `clamp` or `add`."""

    layer: str  # a name in the anatomy's layers
    units: tuple[int, ...]  # channels of a map, or positions along a token's width; empty for all
    kind: Literal["set", "add"]
    value: float | tuple[float, ...]  # one for all units, or one each
    cells: tuple[tuple[bool, ...], ...] | None = None  # rows x columns of a map, or 1 x tokens: where; None: everywhere

    def __call__(self, values: Tensor) -> Tensor:
        """Change a layer's output: (n, channels, rows, columns), (n, tokens, width) or (n, width).

        Raises:
            BadInput: no such unit, values that are not one or one each, or cells of another shape.
        """
        import torch

        last = values.movedim(1, -1) if values.ndim == 4 else values
        width = last.shape[-1]
        units = self.units or tuple(range(width))
        if min(units) < 0 or max(units) >= width:
            raise BadInput(f"Layer {self.layer} has the units 0 to {width - 1}; got {min(units)} to {max(units)}.")
        value = torch.tensor(self.value, dtype=values.dtype, device=values.device)
        if value.ndim and len(value) != len(units):
            raise BadInput(f"An intervention takes one value, or one for each of {len(units)} units; got {len(value)}.")
        before = last[..., units]
        after = before + value if self.kind == "add" else value.expand_as(before)
        if self.cells is not None:
            cells = torch.tensor(self.cells, device=values.device)
            cells = cells[0] if values.ndim == 3 else cells
            if cells.shape != last.shape[1:-1]:
                raise BadInput(f"Layer {self.layer} has cells {tuple(last.shape[1:-1])}; got {tuple(cells.shape)}.")
            after = torch.where(cells[..., None], after, before)
        changed = last.clone()
        changed[..., units] = after
        return changed.movedim(-1, 1) if values.ndim == 4 else changed


def ablate(layer: str, units: Sequence[int], value: float = 0.0) -> Intervention:
    """Replace units by zero, or by their mean over other images."""
    return Intervention(layer, tuple(units), "set", value)


def clamp(layer: str, units: Sequence[int], values: float | Sequence[float]) -> Intervention:
    """Hold units at a value, or each at its own."""
    return Intervention(layer, tuple(units), "set", values if isinstance(values, float | int) else tuple(values))


def add(layer: str, units: Sequence[int], values: float | Sequence[float]) -> Intervention:
    """Add a value to units, or to each its own; with `units=()`, a direction to the whole width."""
    return Intervention(layer, tuple(units), "add", values if isinstance(values, float | int) else tuple(values))
