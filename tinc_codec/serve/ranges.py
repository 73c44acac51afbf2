"""The parts of HTTP that decide which bytes are sent: ranges, and tags of what a client has already."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


@dataclass(frozen=True)
class Unsatisfiable:
    """A range that begins beyond the end."""


Part = slice | Unsatisfiable | None
"""Bytes from start to stop; None: all."""


def parse_range(header: str | None, size: int) -> Part:
    """What a ``Range`` header asks for of so many bytes; what is none, or of several parts, is all, as HTTP allows."""
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        wanted = int(match[2])
        return slice(max(0, size - wanted), size) if wanted and size else Unsatisfiable()
    start = int(match[1])
    stop = int(match[2]) + 1 if match[2] else max(size, start + 1)
    if stop <= start:
        return None
    return slice(start, min(stop, size)) if start < size else Unsatisfiable()


def parse_tags(header: str | None) -> frozenset[str]:
    """The tags in an ``If-None-Match`` header, or ``*``; weak ones name the same bytes here."""
    tags = (tag.strip().removeprefix("W/") for tag in (header or "").split(","))
    return frozenset(tag for tag in tags if tag)


@dataclass(frozen=True)
class Conditions:
    """What a request says of the bytes that it wants.

    Parameters
    ----------
    known
        Tags of what the client has.
    byte_range
        The ``Range`` header.
    if_range
        The tag of that which the range is of.
    """

    known: frozenset[str] = frozenset()
    byte_range: str | None = None
    if_range: str | None = None

    def has(self, tag: str) -> bool:
        """Whether the client has these bytes already."""
        return "*" in self.known or tag in self.known

    def part(self, tag: str, size: int) -> Part:
        """What is to be sent of so many bytes with this tag."""
        return None if self.if_range not in (None, tag) else parse_range(self.byte_range, size)
