"""Wrong passwords: each one makes the next try wait longer, for its address and for its name.

Does not know about requests beyond the form's bytes.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import parse_qs

from apps.serving.refusal import Refused

FREE = {"address": 5, "name": 20}  # tries without a pause; a name may be tried by others than its owner
LONGEST = {"address": 300.0, "name": 3.0}  # seconds; a name is only slowed down, so that nobody can lock its owner out
FORGET_SECONDS = 3600.0
REMEMBERED = 10_000  # addresses and names; the oldest are forgotten


class Logins:
    """Counts tries since the last right one; used on the server's event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()  # number, when the last was

    def begin(self, who: str, name: str) -> float:
        """Count a try and return how long to wait before it is checked.

        Raises:
            Refused: 429 where the address has to wait longer than a request may.
        """
        pause = self._pause("address", who)
        if pause > 0:
            raise Refused(429, f"Too many wrong passwords; try again in {pause:.0f} seconds.")
        slow = self._pause("name", name)
        for key in (("address", who), ("name", name)):
            number, _ = self._tries.pop(key, (0, 0.0))
            self._tries[key] = number + 1, self._clock()
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)
        return slow

    def succeeded(self, who: str, name: str) -> None:
        """Forget the tries of an address and a name."""
        self._tries.pop(("address", who), None)
        self._tries.pop(("name", name), None)

    def _pause(self, kind: str, value: str) -> float:
        number, when = self._tries.get((kind, value), (0, 0.0))
        passed = self._clock() - when
        if number < FREE[kind] or passed > FORGET_SECONDS:
            return 0.0
        return max(0.0, min(2.0 ** (number - FREE[kind] + 1), LONGEST[kind]) - (passed if kind == "address" else 0.0))


def name_of(form: bytes) -> str:
    """Return the user name in a login form, as browsers and clients send it; empty where there is none."""
    part = re.search(rb'name="username"\r\n\r\n([^\r\n]{0,200})', form)
    if part:
        return part[1].decode("latin-1")
    try:
        fields = parse_qs(form.decode("ascii"), max_num_fields=20)
    except ValueError:
        return ""
    return fields.get("username", [""])[0][:200]
