"""The files inside one upload, measured while they pass: how many, and how large each.

Does not know about folders: gradio writes the files. An image has its own limit; only a zip may fill the body.
"""

from __future__ import annotations

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from apps.limits import Limits
from apps.serving.refusal import Message, Receive, Refused


class Parts:
    """The receiving side of an upload that gives up at too many or too large files."""

    def __init__(self, receive: Receive, content_type: str, limits: Limits) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 200:
            raise Refused(400, "An upload is a form with files (multipart/form-data).")
        self._receive = receive
        self._limits = limits
        self._files = 0
        self._size = self._most = 0  # of the file that is passing
        self._header: list[bytes] = [b"", b""]  # name and value that are passing
        callbacks = {
            "on_header_begin": lambda: self._header.__setitem__(slice(None), [b"", b""]),
            "on_header_field": lambda data, start, end: self._gather(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._gather(1, data[start:end]),
            "on_header_end": self._begin,
            "on_part_data": lambda data, start, end: self._count(end - start),
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    async def __call__(self) -> Message:
        """Return the next piece.

        Raises:
            Refused: 413, or 400 for what is no form.
        """
        message = await self._receive()
        if message["type"] == "http.request":
            try:
                self._parser.write(message.get("body", b""))
            except MultipartParseError:
                raise Refused(400, "The upload is not a well-formed form.") from None
        return message

    def _gather(self, which: int, data: bytes) -> None:
        self._header[which] += data

    def _begin(self) -> None:
        """A header is complete; the one that names the file decides how large it may be."""
        if self._header[0].lower() != b"content-disposition":
            return
        name = parse_options_header(self._header[1])[1].get(b"filename", b"")
        self._files += 1
        if self._files > self._limits.pictures:
            raise Refused(
                413, f"An upload has {self._limits.pictures} files at most; the shell takes folders of any size."
            )
        zipped = name.lower().endswith(b".zip")
        self._size, self._most = 0, self._limits.upload_bytes if zipped else self._limits.picture_bytes

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._most:
            raise Refused(413, f"A file has {self._most / 1e6:g} MB at most.")
