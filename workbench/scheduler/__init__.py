"""One device, many visitors: who computes next, with whom, and until when.

A single worker owns the device. Small requests of all owners are joined into micro-batches; long jobs are generators
that give the device back after every step. Knows no model, no picture and no text: what a batch or a step computes is
handed in as a function.
"""

from __future__ import annotations

from workbench.scheduler.cancel import CancelScope, CancelToken
from workbench.scheduler.worker import Scheduler

__all__ = ["CancelScope", "CancelToken", "Scheduler"]
