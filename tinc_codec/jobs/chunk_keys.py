"""Which keys an array's chunks or shards can have, by its metadata document alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["chunk", "outside", "foreign"]

_NUMBER = r"(?:0|[1-9]\d*)"
_LIKE_A_KEY = re.compile(r"(?:c[/.])?\d+(?:[/.]\d+)*|c")


@dataclass(frozen=True)
class ChunkKeys:
    """The keys of an array's chunks.

    Parameters
    ----------
    pattern
        Of a key; its one group holds the indices.
    separator
        Between the indices.
    grid
        Number of chunks along each axis.
    """

    pattern: re.Pattern[str]
    separator: str
    grid: tuple[int, ...]

    def kind(self, key: str) -> Kind:
        """What an object below the array is: its chunk, one that is outside of its grid, or something else."""
        match = self.pattern.fullmatch(key)
        if match is None:
            return "outside" if _LIKE_A_KEY.fullmatch(key) else "foreign"
        inside = all(index < count for index, count in zip(self.index(key), self.grid, strict=True))
        return "chunk" if inside else "outside"

    def index(self, key: str) -> tuple[int, ...]:
        """The place of a chunk in the grid by its key."""
        match = self.pattern.fullmatch(key)
        assert match is not None
        return tuple(map(int, match[1].split(self.separator))) if match[1] else ()


def chunk_keys(document: Mapping[str, Any]) -> ChunkKeys | None:
    """The keys that a metadata document, ``.zarray`` or ``zarr.json``, gives to chunks; None where it is not known."""
    try:
        if document["zarr_format"] == 2:
            style, separator = "v2", document.get("dimension_separator") or "."
            chunks = document["chunks"]
        else:
            encoding = document["chunk_key_encoding"]
            style, settings = encoding["name"], encoding.get("configuration") or {}
            separator = settings.get("separator", "/" if style == "default" else ".")
            grid = document["chunk_grid"]
            chunks = grid["configuration"]["chunk_shape"] if grid["name"] == "regular" else None
        counts = tuple(-(-int(n) // int(m)) for n, m in zip(document["shape"], chunks, strict=True))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError):
        return None
    if style not in ("default", "v2") or separator not in (".", "/"):
        return None
    indices = re.escape(separator).join([_NUMBER] * len(counts))
    if style == "default":
        return ChunkKeys(re.compile(f"c{re.escape(separator)}({indices})" if counts else "c()"), separator, counts)
    return ChunkKeys(re.compile(f"({indices})" if counts else "0()"), separator, counts)
