"""Wrong passwords wait longer and longer, by address and by name; the right one forgets them."""

from __future__ import annotations

import pytest

from apps.serving.logins import Logins, name_of
from apps.serving.refusal import Refused


def test_an_address_waits_longer_with_each_wrong_password() -> None:
    now = [100.0]
    logins = Logins(clock=lambda: now[0])
    assert [logins.begin("a", f"name {number}") for number in range(5)] == [0.0] * 5
    waits = []
    for _ in range(10):
        with pytest.raises(Refused) as met:
            logins.begin("a", "x")
        assert met.value.status == 429
        waits.append(int(met.value.reason.split(" in ")[1].split()[0]))
        now[0] += waits[-1]
        logins.begin("a", "x")
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert logins.begin("b", "y") == 0.0
    now[0] += 3601.0
    assert logins.begin("a", "z") == 0.0


def test_a_name_is_slowed_down_and_never_locked() -> None:
    logins = Logins()
    slow = [logins.begin(f"address {number}", "ann") for number in range(60)]
    assert slow[:20] == [0.0] * 20
    assert slow[20:24] == [2.0, 3.0, 3.0, 3.0]
    assert max(slow) == 3.0
    assert logins.begin("c", "bob") == 0.0


def test_the_right_password_forgets() -> None:
    logins = Logins()
    for _ in range(5):
        logins.begin("a", "ann")
    logins.succeeded("a", "ann")
    assert [logins.begin("a", "ann") for _ in range(5)] == [0.0] * 5


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (b"username=ann&password=x", "ann"),
        (b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nann\r\n--b--', "ann"),
        (b"password=x", ""),
        (b"\xff\xfe", ""),
        (b"&".join(b"a=%d" % n for n in range(1000)), ""),
        (b"username=" + b"x" * 9000, "x" * 200),
    ],
)
def test_the_name_in_a_form(form: bytes, name: str) -> None:
    assert name_of(form) == name
