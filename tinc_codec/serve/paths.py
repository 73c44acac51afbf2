"""What the path of a request names: a key of a store, or nothing; and which chunk a key is of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from tinc_codec.hosts.stored import CHUNK

METADATA = frozenset({"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"})
"""Names of Zarr's documents in either format."""

_LONGEST = 255
"""Bytes of a name, as file systems have them."""

_LONGEST_KEY = 2048

_DEEPEST = 64

Index = tuple[int, ...]


def key_of(path: bytes, prefix: bytes) -> str | None:
    """The key that a path names, as it came over the network; None: no key of any store.

    Parameters
    ----------
    path
        Still percent-encoded.
    prefix
        What it begins with, with a slash at the end.

    Returns
    -------
    str or None
        The key, without slashes at its ends; empty for the root. Each name in it is one as it stands: neither ``..``
        nor a slash, backslash or control character come from decoding it; of hidden files it names Zarr's documents.
    """
    if not path.startswith(prefix):
        return None
    rest = path[len(prefix) :].removesuffix(b"/")
    if not rest:
        return ""
    encoded = rest.split(b"/")
    names = [_name(part) for part in encoded[: _DEEPEST + 1]]
    if len(names) > _DEEPEST or not all(names):
        return None
    *folders, last = (str(name) for name in names)
    if any(name.startswith(".") for name in folders) or (last.startswith(".") and last not in METADATA):
        return None
    key = "/".join([*folders, last])
    return key if len(key.encode()) <= _LONGEST_KEY else None


def _name(encoded: bytes) -> str | None:
    decoded = unquote_to_bytes(encoded)
    try:
        name = decoded.decode()
    except UnicodeDecodeError:
        return None
    wrong = name in ("", ".", "..") or len(decoded) > _LONGEST or not name.isprintable()
    return None if wrong or "/" in name or "\\" in name else name


def split(key: str) -> tuple[str, str]:
    """The folder and the last name of a key."""
    folder, _, name = key.rpartition("/")
    return folder, name


def joined(*parts: str) -> str:
    """A key from its parts, of which some may be empty."""
    return "/".join(part for part in parts if part)


def chunk_places(key: str) -> Iterator[tuple[str, str]]:
    """Where the array may lie that a key is a chunk of, and the chunk's key in it: names of arrays are numbers, too."""
    names = key.split("/")
    for number in range(len(names)):
        inner = "/".join(names[number:])
        if CHUNK.fullmatch(inner):
            yield "/".join(names[:number]), inner


def chunk_key(document: Mapping[str, Any], index: Index) -> str:
    """The key of a chunk in its array, by the array's document."""
    prefix, separator = _encoding(document)
    numbers = [str(i) for i in index]
    return separator.join(prefix + numbers) or "0"


def chunk_index(document: Mapping[str, Any], inner: str) -> Index | None:
    """The chunk that a key in an array is of; None: the array has no such key."""
    index = tuple(int(part) for part in inner.replace(".", "/").split("/") if part.isdecimal() and len(part) < 20)
    grid = grid_of(document)
    if chunk_key(document, ()) == inner and not grid:
        return ()
    inside = len(index) == len(grid) and all(i < n for i, n in zip(index, grid, strict=True))
    return index if inside and chunk_key(document, index) == inner else None


def _encoding(document: Mapping[str, Any]) -> tuple[list[str], str]:
    if document.get("zarr_format") == 2:
        return [], document.get("dimension_separator") or "."
    encoding = document["chunk_key_encoding"]
    v2 = encoding["name"] == "v2"
    separator = (encoding.get("configuration") or {}).get("separator") or ("." if v2 else "/")
    return ([] if v2 else ["c"]), separator


def chunk_shape(document: Mapping[str, Any]) -> tuple[int, ...]:
    """Voxels of what one key of an array holds, along each axis."""
    if document.get("zarr_format") == 2:
        return tuple(document["chunks"])
    return tuple(document["chunk_grid"]["configuration"]["chunk_shape"])


def grid_of(document: Mapping[str, Any]) -> tuple[int, ...]:
    """Number of an array's chunks along each axis."""
    shape: Sequence[int] = document["shape"]
    return tuple(math.ceil(n / m) for n, m in zip(shape, chunk_shape(document), strict=True))
