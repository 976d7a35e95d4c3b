"""Ray Data: start it, or join a cluster; an extra, for embedding on several workers."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.errors import Unsupported

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_TRAIN_V2_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def check_ray() -> None:
    """Refuse where Ray is not installed.

    Raises:
        Unsupported: the message names the extra.
    """
    package = find_spec("ray")
    if package is None or package.origin is None:  # without an origin it is some folder of that name, no package
        raise Unsupported("--engine ray needs Ray, which is not installed: pip install 'clip-workbench[ray]'.")


def started() -> Any:
    """Return Ray, joined to the cluster that the environment names, or started on this machine.

    Raises:
        Unsupported: Ray is not installed.
    """
    check_ray()
    import ray

    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    if not ray.is_initialized():
        here = str(Path(__file__).parents[2])
        ray.init(include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": _path(here)}})
    ray.data.DataContext.get_current().enable_progress_bars = False
    return ray


def _path(here: str) -> str:
    return os.pathsep.join(dict.fromkeys([here, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]))
