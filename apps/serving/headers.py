"""What every answer says to the browser: run nothing foreign, guess no type, tell no one where you came from.

Gradio sets none of these headers and leaves them to the application
(its SECURITY.md). Inline scripts must stay allowed, its page consists of them; `unsafe-eval` is not needed.
"""

from __future__ import annotations

from apps.serving.refusal import Message, Send

SPACE_FRAMES = "'self' https://huggingface.co https://*.hf.space"
SANDBOXED = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"


def security_headers(*, space: bool, file: bool = False) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer; `file`: of something that a visitor uploaded."""
    frames = SPACE_FRAMES if space else "'self'"
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        f"frame-ancestors {frames}"
    )
    if file:
        policy = f"{SANDBOXED}; frame-ancestors {frames}"
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-resource-policy": "cross-origin" if space else "same-origin",
    }
    if not space:
        headers["x-frame-options"] = "SAMEORIGIN"  # for browsers without frame-ancestors
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def dressed(send: Send, extra: list[tuple[bytes, bytes]], *, own_page: bool) -> Send:
    """Return `send` with the headers added; answers to foreign pages lose every permission to be read."""
    ours = {name for name, _ in extra} | {b"server"}

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in ours]
            if not own_page:
                kept = [(name, value) for name, value in kept if not name.lower().startswith(b"access-control-")]
            message = {**message, "headers": kept + extra}
        await send(message)

    return sending
