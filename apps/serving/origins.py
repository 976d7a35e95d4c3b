"""Who may speak to the server through a browser: the names it answers to, and pages of its own only.

Reads headers only. Against two attacks: a hostile page that gives its own name the address of this machine (DNS
rebinding), and a hostile page that posts to this server behind the visitor's back (cross-site request forgery).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from apps.serving.refusal import Refused

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def host_name(value: str) -> str:
    """Return the name of `name`, `name:port` or `[::1]:port`, in lower case; empty where there is none."""
    try:
        parts = urlsplit(f"//{value}")
        parts.port  # noqa: B018 (raises where it is no number)
    except ValueError:
        return ""
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or value != value.strip():
        return ""
    return parts.hostname or ""


def check_host(headers: Mapping[str, str], allowed: Iterable[str], server: str) -> None:
    """Refuse a Host that is not one of this server's names.

    The very address that the connection arrived at is always a name: a rebound page carries its own name, never that.

    Raises:
        Refused: 400.
    """
    name = host_name(headers.get("host", ""))
    if name and (name in allowed or _same_address(name, server)):
        return
    raise Refused(400, "This server does not answer to that host name; --allow-host NAME adds one.")


def _same_address(name: str, server: str) -> bool:
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(server)
    except ValueError:
        return False


def own_origin(headers: Mapping[str, str], public: Iterable[str]) -> bool:
    """Say whether the page that sends this is one of ours; a sender that is no page (no Origin) is.

    Args:
        headers: of the request, names in lower case.
        public: names under which a proxy shows this server, whatever Host the proxy sends.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    try:
        parts = urlsplit(origin)
        place = _place(parts.netloc, parts.scheme)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not place[0]:
        return False
    return place[0] in public or place == _place(headers.get("host", ""), parts.scheme)


def _place(netloc: str, scheme: str) -> tuple[str, int]:
    parts = urlsplit(f"//{netloc}")
    return parts.hostname or "", parts.port or (443 if scheme == "https" else 80)


def check_origin(method: str, headers: Mapping[str, str], public: Iterable[str], *, path: str = "") -> None:
    """Refuse what a foreign page sends, reading apart; `/logout` changes something although it is read.

    Raises:
        Refused: 403.
    """
    changes = method not in ("GET", "HEAD") or path.rstrip("/") == "/logout"
    if changes and not own_origin(headers, public):
        raise Refused(403, "This request comes from a page of another site.")
