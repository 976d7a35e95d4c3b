"""Whose turn it is: round robin between owners, small requests joined by key, one step of a long job in between.

The rule. Each small request that waits when a long job's step ends is served before the next step, so that it waits
one step at most. Each long job gets its step after that, however many small requests keep coming.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator

from workbench.scheduler.work import BatchItem, LongJob

Lines = OrderedDict[Hashable, deque[BatchItem]]  # of one owner: key -> items in the order they came


class TurnQueue:
    """The waiting lines of all owners."""

    def __init__(self) -> None:
        self._small: OrderedDict[str, Lines] = OrderedDict()  # the owner whose turn is next stands first
        self._long: OrderedDict[str, list[LongJob]] = OrderedDict()
        self._due: set[str] = set()  # owners to be served before the next step of a long job
        self._items = 0

    def __len__(self) -> int:
        return self._items + sum(1 for _ in self.jobs())

    @property
    def items(self) -> int:
        """Number of small requests that wait."""
        return self._items

    def jobs(self, owner: str | None = None) -> Iterator[LongJob]:
        """Long jobs that are not over yet, of one owner or of all."""
        for name, jobs in self._long.items():
            if owner in (None, name):
                yield from jobs

    def everything(self) -> Iterator[BatchItem | LongJob]:
        """All that waits, in no order that matters."""
        yield from (item for lines in self._small.values() for line in lines.values() for item in line)
        yield from self.jobs()

    def add_item(self, item: BatchItem) -> None:
        """Queue a small request behind the others of its owner."""
        self._small.setdefault(item.owner, OrderedDict()).setdefault(item.key, deque()).append(item)
        self._items += 1

    def add_job(self, job: LongJob) -> None:
        """Queue a long job behind the others of its owner."""
        self._long.setdefault(job.owner, []).append(job)

    def remove_job(self, job: LongJob) -> None:
        """Take a long job out; one that is out already stays out."""
        jobs = self._long.get(job.owner, [])
        if job in jobs:
            jobs.remove(job)
        if not jobs:
            self._long.pop(job.owner, None)

    def ready(self) -> bool:
        """Whether any long job can do a step."""
        return any(job.ready for job in self.jobs())

    def next_batch(self) -> tuple[int, float]:
        """Of the batch that would run next: how many items wait for it, and when its first item came."""
        key, line = next(iter(self._small[self._lead()].items()))
        return sum(len(lines.get(key, ())) for lines in self._small.values()), line[0].since

    def take(
        self, ceiling: Callable[[Hashable], int], *, small_first: bool = False
    ) -> list[BatchItem] | LongJob | None:
        """Return the next batch or the job whose step comes next; None when nothing can run.

        Args:
            ceiling: how many items of a key make a batch.
            small_first: whether small requests go before any step.
        """
        job = next((job for job in self.jobs() if job.ready), None)
        if self._small and (small_first or job is None or self._due & self._small.keys()):
            return self._take_batch(ceiling)
        if job is not None:
            self._due = set(self._small)
            self._move_to_end(job)
        return job

    def _lead(self) -> str:
        return next((owner for owner in self._small if owner in self._due), next(iter(self._small)))

    def _move_to_end(self, job: LongJob) -> None:
        jobs = self._long[job.owner]
        jobs.append(jobs.pop(jobs.index(job)))
        self._long.move_to_end(job.owner)

    def _take_batch(self, ceiling: Callable[[Hashable], int]) -> list[BatchItem]:
        lead = self._lead()
        key = next(iter(self._small[lead]))
        owners = [lead, *(owner for owner, lines in self._small.items() if owner != lead and key in lines)]
        batch: list[BatchItem] = []
        room = max(1, ceiling(key))
        while owners and len(batch) < room:
            for owner in list(owners)[: room - len(batch)]:
                line = self._small[owner][key]
                batch.append(line.popleft())
                if not line:
                    owners.remove(owner)
        self._items -= len(batch)
        self._tidy(key, list(dict.fromkeys(item.owner for item in batch)))
        return batch

    def _tidy(self, key: Hashable, served: list[str]) -> None:
        for owner in served:
            lines = self._small[owner]
            if lines[key]:
                lines.move_to_end(key)
            else:
                del lines[key]
            if lines:
                self._small.move_to_end(owner)
            else:
                del self._small[owner]
        self._due.difference_update(served)
