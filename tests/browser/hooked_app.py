"""The whole workbench as a process of its own that writes down each look-up and each connection it makes.

Run as `python hooked_app.py PORT HOOKFILE`; prints the page's address when it can be opened.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Serve until told to stop."""
    out = Path(sys.argv[2]).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 (open as long as the process)

    def watch(event: str, args: tuple[object, ...]) -> None:
        if event in ("socket.getaddrinfo", "socket.gethostbyname"):
            out.write(f"{event} {args[0]}\n")
        elif event in ("socket.connect", "socket.sendto"):
            target = args[1]
            out.write(f"{event} {target[0] if isinstance(target, tuple) else 'local'}\n")

    sys.addaudithook(watch)
    from apps.serving import ServeOptions, serve

    serve(ServeOptions(port=int(sys.argv[1])), ready=lambda address: print(address, flush=True))


if __name__ == "__main__":
    main()
