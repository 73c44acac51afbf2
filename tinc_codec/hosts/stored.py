"""The TINC streams of stored chunks and shards, whatever codecs of bytes come after TINC."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numcodecs
from numcodecs.compat import ensure_bytes
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.registry import get_codec_class

from tinc_codec.errors import ConfigurationError, CorruptStreamError, TincError, UnsupportedDataError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.shards import SHARDING, bytes_spec, shard_chunks

NAME = "tinc_codec.tinc"
"""The codec in Zarr format 3; in format 2 it is `TINCCodec.codec_id`."""

CHUNK = re.compile(r"c|(c[/.])?\d+([/.]\d+)*")
"""Keys of chunks in either format."""

_JSON = Mapping[str, Any]


def is_compressed(metadata: _JSON) -> bool:
    """Whether an array's metadata, as JSON, name TINC among its codecs."""
    if metadata.get("zarr_format") == 2:
        return _after_in_format_2(metadata) is not None
    return _named(metadata.get("codecs", ()))


def _named(codecs: Sequence[_JSON]) -> bool:
    inner = [codec["configuration"]["codecs"] for codec in codecs if codec["name"] == SHARDING]
    return any(codec["name"] == NAME for codec in codecs) or any(map(_named, inner))


def _after_in_format_2(metadata: _JSON) -> list[_JSON] | None:
    """The codecs that come after TINC; None where it is not there."""
    chain = [codec for codec in (*(metadata.get("filters") or ()), metadata.get("compressor")) if codec is not None]
    ids = [codec["id"] for codec in chain]
    return chain[ids.index(TINCCodec.codec_id) + 1 :] if TINCCodec.codec_id in ids else None


def stored_chunks(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every TINC stream of the Zarr arrays in a directory, those inside shards too, with its key.

    A chunk inside a shard has the shard's key and its number, ``c/0/0#5``.

    Raises
    ------
    ConfigurationError
        An array's metadata are not JSON.
    CorruptStreamError
        A stored object cannot be decoded as far as TINC's stream.
    UnsupportedDataError
        A codec after TINC is not installed.
    """
    for document in sorted({*path.rglob("zarr.json"), *path.rglob(".zarray")}):
        array = parse_document(document.read_bytes(), str(document))
        if array.get("node_type", "array") != "array" or not is_compressed(array):
            continue
        folder = document.parent
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            if not CHUNK.fullmatch(file.relative_to(folder).as_posix()):
                continue
            key = file.relative_to(path).as_posix()
            try:
                for number, data in streams_of(array, file.read_bytes()):
                    yield key if number is None else f"{key}#{number}", data
            except CorruptStreamError as error:
                raise CorruptStreamError(f"{key}: {error}") from error


def parse_document(stored: bytes, name: str) -> dict[str, Any]:
    """One of Zarr's documents, as JSON.

    Parameters
    ----------
    stored
        Its bytes.
    name
        For people.

    Raises
    ------
    ConfigurationError
        It is not JSON, or no object.
    """
    try:
        metadata = json.loads(stored)
    except ValueError as error:
        raise ConfigurationError(f"{name} is not JSON ({error}): restore it from a copy of the store") from error
    if not isinstance(metadata, dict):
        raise ConfigurationError(f"{name} holds no Zarr metadata: restore it from a copy of the store")
    return metadata


def streams_of(metadata: _JSON, data: bytes) -> Iterator[tuple[int | None, bytes]]:
    """The TINC streams of one stored object of an array: itself, or the parts of a shard with their numbers.

    Parameters
    ----------
    metadata
        The array's metadata as JSON.
    data
        A chunk or shard as it is stored; empty: there is none.

    Raises
    ------
    CorruptStreamError, UnsupportedDataError
        As `stored_chunks`.
    """
    if not data or not is_compressed(metadata):
        return
    if metadata.get("zarr_format") == 2:
        for codec in reversed(_after_in_format_2(metadata) or ()):
            data = _undone(codec["id"], lambda d, c=codec: ensure_bytes(numcodecs.get_codec(dict(c)).decode(d)), data)
        yield None, bytes(data)
    else:
        shape = metadata["chunk_grid"]["configuration"]["chunk_shape"]
        yield from _parts(list(metadata["codecs"]), shape, data)


def _parts(codecs: list[_JSON], shape: Sequence[int], data: bytes) -> Iterator[tuple[int | None, bytes]]:
    names = [codec["name"] for codec in codecs]
    place = names.index(SHARDING if SHARDING in names else NAME)
    for codec in reversed(codecs[place + 1 :]):
        data = _undone(codec["name"], lambda d, c=codec: _without(c, d), data)
    if names[place] == NAME:
        yield None, data
        return
    settings = codecs[place]["configuration"]
    inner = settings["chunk_shape"]
    for number, part in shard_chunks(data, shape, settings):
        streams = list(_parts(list(settings["codecs"]), inner, part))
        for within, stream in streams:
            yield number if within is None else number * len(streams) + within, stream


def _without(codec: _JSON, data: bytes) -> bytes:
    """Bytes as they were before a codec of format 3 that turns bytes into bytes."""
    instance: Any = get_codec_class(codec["name"]).from_dict(dict(codec))
    (decoded,) = sync(instance.decode([(default_buffer_prototype().buffer.from_bytes(data), bytes_spec((len(data),)))]))
    return bytes(decoded.to_bytes())


def _undone(name: str, undo: Any, data: bytes) -> bytes:
    try:
        return bytes(undo(data))
    except TincError:
        raise
    except Exception as error:  # every codec has errors of its own
        if isinstance(error, KeyError | ImportError) or "Unknown" in type(error).__name__:
            raise UnsupportedDataError(f"codec {name!r}, which comes after TINC, is not installed") from error
        raise CorruptStreamError(f"codec {name!r}, which comes after TINC, does not decode it: {error}") from error
