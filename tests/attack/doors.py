"""Attacks on what stands in front of a server: its password, the path where a proxy shows it, a Space's headers."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

from tests.attack.promises import Row, Size, at_once
from tests.attack.server import Server, running
from tests.attack.visitor import Visitor, Watch

INSIDE = ("/config", "/gradio_api/info", "/gradio_api/heartbeat/a", "/gradio_api/queue/data?session_hash=a", "/logs")
AROUND = ("/lab/lab", "//", "/lab//", "/LAB", "/lab/..", "/%6cab", "/lab/%2e%2e", "/lab;", "/other", "/lab/lab/../lab")


def password(server: Server, size: Size) -> Iterator[Row]:
    """A server with `--auth` and `--root-path`: ways around the login, guesses, and its owner meanwhile."""
    with running(server.model, "--auth", "owner:right word", "--root-path", "/lab") as guarded:
        stranger = Visitor(guarded, 2)
        paths = [f"{way.rstrip('/')}{inside}" for way in ("", "/lab", *AROUND) for inside in INSIDE]
        answers = [stranger.client.get(path, follow_redirects=False) for path in paths]
        joined = stranger.client.post(
            "/lab/gradio_api/queue/join", json={"data": [], "fn_index": 0, "session_hash": "a"}
        )
        sent = stranger.client.post("/lab/gradio_api/upload", files={"files": ("a.png", b"a")})
        opened = [one.url.path for one in answers if one.status_code < 300 or "dependencies" in one.text]
        elsewhere = [one for one in answers if not one.headers.get("location", "/").startswith(("/", guarded.url))]
        statuses = {one.status_code for one in (*answers, joined, sent)}
        kept = not opened and not elsewhere and {joined.status_code, sent.status_code} == {401}
        yield Row("ways around the password", "none", f"{len(answers) + 2} tried, {statuses}, opened {opened}", kept)

        def guess(number: int) -> int:
            form = {"username": "owner", "password": f"word {number}"}
            return Visitor(guarded, 3 + number % 4).client.post("/lab/login", data=form).status_code

        begun = time.monotonic()
        guesses = at_once(40, guess)
        owner = Visitor(guarded, 30)
        login = owner.client.post("/lab/login", data={"username": "owner", "password": "right word"}).status_code
        seconds = time.monotonic() - begun
        outcome = owner.question()[0] if login == 200 else ""
        figure = f"{guesses.count(429)} of 40 refused, {guesses.count(200)} right; owner {login} after {seconds:.1f} s"
        kept = guesses.count(429) >= 20 and 200 not in guesses and login == 200 and outcome == "done"
        yield Row("40 guesses from four addresses", "refused; the owner gets in", f"{figure}: {outcome}", kept)


def space(server: Server, size: Size) -> Iterator[Row]:
    """A Space, whose proxy adds the visitor's address to what the visitor wrote there: forged, honest, missing."""
    variables = {"SPACE_ID": "some/space", "SPACE_HOST": "some-space.hf.space"}
    with running(server.model, variables=variables) as proxied:

        def posts(forwarded: str, number: int = 90) -> list[int]:
            """Statuses of requests that change something, as many as a few seconds of an address's share allow."""
            headers = {"x-forwarded-for": forwarded} if forwarded else {}
            with Visitor(proxied, 2).client as client:
                return [
                    client.post(
                        "/gradio_api/cancel",
                        json={"session_hash": "a", "fn_index": 0, "event_id": "a"},
                        headers={name: value.format(at) for name, value in headers.items()},
                    ).status_code
                    for at in range(number)
                ]

        forged = posts("9.9.{0}.1, 10.0.0.{0}, 8.8.4.4").count(429)
        later = posts("8.8.4.4", 5).count(429)
        honest = [posts(f"junk, 8.8.8.{number}", 5).count(429) for number in range(20)]
        same = posts("2001:4860::{0:x}").count(429)
        with Watch(proxied, headers={"x-forwarded-for": "9.9.9.9"}) as watch:
            at_once(4, lambda number: posts("1.1.1.1, 8.8.4.4"))
        refused = [
            httpx.get(f"{proxied.url}/config", headers=headers, trust_env=False).status_code
            for headers in ({"host": "evil.example"}, {"host": "some-space.hf.space.evil.example"})
        ]
        named = Visitor(proxied, 3, headers={"host": "some-space.hf.space"}).client.get("/config").status_code
        figure = f"{forged} of 90 forged refused, honest {sum(honest)} of 100, one IPv6 household {same}; {watch}"
        yield Row(
            "a Space's X-Forwarded-For",
            "forged ones are one visitor, honest ones many",
            f"{figure}; other names {refused}, its own {named}",
            forged > 20
            and later > 0
            and not sum(honest)
            and same > 20
            and watch.within(size.median, size.worst)
            and all(one >= 400 for one in refused)
            and named == 200,
        )
