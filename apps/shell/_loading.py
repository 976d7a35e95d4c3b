"""Load the model that a command names, and say on stderr who answers.

Knows no command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.shell.output import say
from workbench.models import find

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.cache import Key
    from workbench.loading.torch_backend import TorchBackend


def load_and_say(model: str, device: str, dtype: str) -> TorchBackend:
    """Load a model; a mistyped name is told before anything heavy is imported."""
    spec = find(model)
    from workbench import load

    say(f"{spec.title}, trained on {spec.trained_on or 'data that is not known here'}.")
    return load(model, device=device, dtype=dtype)


class DiskVectors:
    """The vectors of one model in the disk cache, by the hash of a picture file."""

    def __init__(self, fingerprint: str) -> None:
        from workbench.cache import DiskCache

        self._disk = DiskCache()
        self._fingerprint = fingerprint

    def get(self, sha256: str) -> Tensor | None:
        """Return the kept vector, (dim,) float32, or None."""
        import torch

        key = self._key(sha256)
        row = self._disk.get_many([key]).get(key)
        return None if row is None else torch.from_numpy(row.copy())

    def put(self, sha256: str, vector: Tensor) -> None:
        """Keep a vector."""
        self._disk.put_many({self._key(sha256): vector.numpy()})

    def _key(self, sha256: str) -> Key:
        from workbench.cache import Key

        return Key(self._fingerprint, "file", sha256)
