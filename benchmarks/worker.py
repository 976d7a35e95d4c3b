"""One measurement in a process of its own, so that memory and threads belong to one peer.

Reads a request as JSON on standard input, prints the result as JSON on the last line.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any


def main() -> None:
    """Open the peer, measure the case, print."""
    request: dict[str, Any] = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    torch.set_num_threads(request["threads"])
    from benchmarks.cases import CASES
    from benchmarks.material import BenchmarkData
    from benchmarks.peers import PEERS

    material = BenchmarkData(Path(request["folder"]))
    started = time.perf_counter()
    answer = PEERS[request["peer"]](material, request["dtype"])
    opened = time.perf_counter() - started
    result = CASES[request["case"]](answer, material, **request["options"])
    print(json.dumps({**result, "open_s": opened, "peak_bytes": peak_bytes()}))


def peak_bytes() -> int:
    """The most memory this process held; getrusage would count the parent's before it became this one."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
