"""What all tests share: the shipped model, a few real pictures, and a network that is not there."""

from __future__ import annotations

import functools
import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend

LOOPBACK = ("127.0.0.1", "::1", "localhost", "0.0.0.0")


@pytest.fixture(autouse=True, scope="session")
def _no_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no test reach anything but this machine, nor write into the user's own cache."""
    real = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address[0]!r}")
        real(self, address)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setenv("HF_HUB_OFFLINE", "1")
        home = tmp_path_factory.mktemp("home")
        (home / "audit-data").symlink_to(_drawn_once(tmp_path_factory))
        patch.setenv("CLIP_WORKBENCH_HOME", str(home))
        yield


def _drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the built-in data sets that all test processes share: each set is drawn by one of them."""
    place = tmp_path_factory.getbasetemp()
    shared = (place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "audit-data"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def pocket() -> TorchBackend:
    """The shipped model on the CPU in float32."""
    from workbench.loading import load

    return load("pocket", device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of photos that scikit-image carries."""
    import skimage

    return Path(skimage.__file__).parent / "data"


@functools.lru_cache
def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where none is; order files so that all processes end together.

    The browser comes first, then the files with heavy tests, then the quick ones. `scripts/test` gives each process
    whole files, so that what shares a server or a model does so once.
    """
    for item in items:
        if item.get_closest_marker("gpu") and not _cuda():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device; this machine has none that torch can use"))
    heavy = {item.nodeid.split("::")[0] for item in items if item.get_closest_marker("heavy")}
    items.sort(key=lambda item: (item.get_closest_marker("browser") is None, item.nodeid.split("::")[0] not in heavy))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through everything that was imported each time that it runs."""
    gc.collect()
    gc.freeze()
