"""Files in and out over HTTP: multipart/form-data becomes the request that the RPC knows, a file in the answer becomes
a download that no browser opens by itself.

Both are bounded: a file is held in memory as a whole, so only a few are under way in a process at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import Message
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from chassis.errors import Invalid, exhausted
from dealwright.api.v1 import file_pb2
from gateway.doors import transcoder
from gateway.doors.addresses import Match
from gateway.wire import json_text

MULTIPART = "multipart/form-data"
FILE = "file"
_MOST_FIELDS = 50
_MOST_FIELD_BYTES = 256 * 1024
_WAIT_SECONDS = 15.0
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+(?:; ?[a-z]+=[A-Za-z0-9-]+)?\Z")
_PLAIN_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class Few:
    """At most so many files at once."""

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Raises RESOURCE_EXHAUSTED when none becomes free in time."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise exhausted(
                "Too many files are under way; try again in a moment.", "正在传输的文件过多，请稍后重试。", "BUSY"
            ) from None
        try:
            yield
        finally:
            self._places.release()


async def read(match: Match, query: str, headers: Headers, body: AsyncGenerator[bytes, None]) -> Message:
    """The parts of a form as the request: `file` is its content, the others its fields by name. Raises Invalid."""
    parser = _InMemory(headers, body, max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_FIELD_BYTES)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, LookupError) as problem:
        raise Invalid([("", f"the body is not {MULTIPART}", f"请求正文不是 {MULTIPART}")]) from problem
    try:
        plain: dict[str, Any] = {}
        sent: UploadFile | None = None
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if name != FILE:
                    raise Invalid(
                        [(name[:100], f"is a file; the file is the part {FILE!r}", f"文件须放在 “{FILE}” 部分")]
                    )
                sent = value
            elif name in plain:
                raise Invalid([(name[:100], "is there twice", "重复出现")])
            elif name == FILE:
                raise Invalid([(FILE, "has no file name", "缺少文件名")])
            else:
                plain[name] = _value(match, name, value)
        message: Any = transcoder.request_of(match, query, plain)
        if sent is not None:
            message.content = await sent.read()
            _say(message, "file_name", sent.filename or "")
            _say(message, "content_type", sent.content_type or "")
    finally:
        await form.close()
    return message  # type: ignore[no-any-return]


class _InMemory(MultiPartParser):
    # Nothing of what people send lies on this machine's disk.
    spool_max_size = 1 << 40


def _say(message: Any, field: str, value: str) -> None:
    """Unless the form said so itself."""
    known = message.DESCRIPTOR.fields_by_name.get(field)
    if known is not None and not getattr(message, field):
        setattr(message, field, value.encode("utf-8", "replace").decode())


def _value(match: Match, name: str, text: str) -> Any:
    """Text stays text; numbers, truth and objects are written as in JSON."""
    fields = match.address.method.descriptor.input_type.fields
    field = next((one for one in fields if name in (one.name, one.json_name)), None)
    if field is None or (not field.is_repeated and field.cpp_type in (F.CPPTYPE_STRING, F.CPPTYPE_ENUM)):
        return text
    try:
        return json_text.parse(f'{{"value":{text}}}'.encode())["value"]
    except (json_text.NotJson, KeyError, TypeError):
        raise Invalid([(name[:100], "is no JSON", "不是有效的 JSON")]) from None


def download(answer: bytes) -> Response:
    """A file for the disk of whoever asked, whatever is in it."""
    file = file_pb2.File.FromString(answer)
    plain, name = _plain(file.file_name), quote(file.file_name, safe="")
    return Response(
        file.content,
        headers={
            "Content-Type": file.content_type if _TYPE.match(file.content_type) else "application/octet-stream",
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}",
            "Content-Security-Policy": _POLICY,
        },
    )


def _plain(file_name: str) -> str:
    """The name in ASCII, for programs that read no other (RFC 6266): "file.pdf" for one that is Chinese altogether."""
    stem, dot, extension = file_name.rpartition(".") if "." in file_name else (file_name, "", "")
    plain = _PLAIN_NAME.sub("_", stem).strip("_. -")
    return f"{plain or 'file'}{dot}{_PLAIN_NAME.sub('_', extension)}"
