"""Where the browser that the tests drive is; `python -m tests.chromium` prints it, or fails."""

from __future__ import annotations

import os
import sys

import pytest

from apps.shell.doctor import find_browser

FLAGS = (
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
REASON = "no Chromium on this machine: `apt-get install chromium`, or name one in CHROMIUM"


def chromium() -> str:
    """Return the path of Chromium; without one, skip the test, or fail it under CI."""
    result = find_browser()
    if result is None and os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(REASON)
    if result is None:
        pytest.skip(REASON)
    return result


if __name__ == "__main__":
    where = find_browser()
    print(where or REASON)
    sys.exit(where is None)
