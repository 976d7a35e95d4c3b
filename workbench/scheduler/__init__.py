"""One device, many visitors: whose work runs next, in which batch, and until when.

A single worker owns the device. Small requests of all owners are joined into micro-batches; long jobs are generators
that give the device back after every step. What a batch or a step computes is passed in as a function.
"""

from __future__ import annotations

from workbench.scheduler.cancel import CancelScope, CancelToken, current_scope, waiting
from workbench.scheduler.worker import OWNER_PART, Scheduler

__all__ = ["OWNER_PART", "CancelScope", "CancelToken", "Scheduler", "current_scope", "waiting"]
