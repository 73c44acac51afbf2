"""What a request is answered with, before HTTP makes a response of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any
from urllib.parse import quote

from tinc_codec.serve.ranges import Conditions, Unsatisfiable

PLAIN = "/data.zarr/"
"""Where a store is as plain Zarr: what its keys come after."""

BYTES, JSON = "application/octet-stream", "application/json"


@dataclass(frozen=True)
class Answer:
    """Status, headers and body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(content: Any, status: int = 200) -> Answer:
    """An answer in JSON, never kept by clients."""
    return Answer(status, json.dumps(content).encode(), {"Content-Type": JSON, "Cache-Control": "no-store"})


def refused(status: int, reason: str) -> Answer:
    """An answer that says why there is no other."""
    answer = as_json({"error": reason}, status)
    return replace(answer, headers={**answer.headers, "Retry-After": "1"}) if status == 503 else answer


def listing(title: str, keys: Sequence[str]) -> Answer:
    """Links to keys of a store, by their last names."""
    links = (f'<li><a href="{PLAIN}{escape(quote(key))}">{escape(key.rpartition("/")[2])}</a></li>' for key in keys)
    page = f"<!doctype html><title>{escape(title or '/')}</title><ul>{''.join(links)}</ul>"
    return Answer(200, page.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


def tagged(tag: str | None, kind: str) -> dict[str, str]:
    """Headers of bytes that a client may keep, and must ask about before it uses them again."""
    headers = {"Content-Type": kind, "Cache-Control": "no-cache", "Accept-Ranges": "bytes"}
    return headers if tag is None else {**headers, "ETag": tag}


def unchanged(tag: str, kind: str) -> Answer:
    """The answer for a client that has these bytes."""
    return Answer(304, b"", tagged(tag, kind))


def of_bytes(body: bytes, tag: str, conditions: Conditions, kind: str = BYTES) -> Answer:
    """An answer with bytes, or the part of them that is asked for."""
    if conditions.has(tag):
        return unchanged(tag, kind)
    part = conditions.part(tag, len(body))
    if isinstance(part, Unsatisfiable):
        return beyond(len(body), tag)
    return of_part(body if part is None else body[part], part, len(body), tagged(tag, kind))


def of_part(body: bytes, part: slice | None, size: int, headers: Mapping[str, str]) -> Answer:
    """An answer with a part of so many bytes; None: with all of them."""
    if part is None:
        return Answer(200, body, headers)
    return Answer(206, body, {**headers, "Content-Range": f"bytes {part.start}-{part.stop - 1}/{size}"})


def beyond(size: int, tag: str | None) -> Answer:
    """The answer for a range that begins beyond the end."""
    return Answer(416, b"", {**tagged(tag, BYTES), "Content-Range": f"bytes */{size}"})
