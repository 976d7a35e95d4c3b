"""One device, many visitors: whose work runs next, in which batch, and until when.

A single worker owns the device. Small requests of all owners are joined into micro-batches; long jobs are generators
that give the device back after every step. What a batch or a step computes is passed in as a function.
"""

from __future__ import annotations

from workbench.scheduler.cancel import CancelScope, CancelToken
from workbench.scheduler.worker import Scheduler

__all__ = ["CancelScope", "CancelToken", "Scheduler"]
