"""The TINC streams of stored chunks and shards, whatever codecs of bytes come after TINC."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
from numcodecs.compat import ensure_bytes
from numpy.typing import NDArray
from zarr.core.array_spec import ArrayConfig, ArraySpec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.dtype import UInt64
from zarr.core.sync import sync
from zarr.registry import get_codec_class, get_pipeline_class

from tinc_codec.errors import ConfigurationError, CorruptStreamError, TincError, UnsupportedDataError
from tinc_codec.hosts.codec import TINCCodec

NAME = "tinc_codec.tinc"
"""The codec in Zarr format 3; in format 2 it is `TINCCodec.codec_id`."""

_SHARDING = "sharding_indexed"
_ABSENT = 2**64 - 1
_CHUNK = re.compile(r"c|(c[/.])?\d+([/.]\d+)*")
"""Keys of chunks in either format."""

_JSON = Mapping[str, Any]


def is_compressed(metadata: _JSON) -> bool:
    """Whether an array's metadata, as JSON, name TINC among its codecs."""
    if metadata.get("zarr_format") == 2:
        return _after_in_format_2(metadata) is not None
    return _named(metadata.get("codecs", ()))


def _named(codecs: Sequence[_JSON]) -> bool:
    inner = [codec["configuration"]["codecs"] for codec in codecs if codec["name"] == _SHARDING]
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
        array = _parsed(document)
        if array.get("node_type", "array") != "array" or not is_compressed(array):
            continue
        folder = document.parent
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            if not _CHUNK.fullmatch(file.relative_to(folder).as_posix()):
                continue
            key = file.relative_to(path).as_posix()
            try:
                for number, data in streams_of(array, file.read_bytes()):
                    yield key if number is None else f"{key}#{number}", data
            except CorruptStreamError as error:
                raise CorruptStreamError(f"{key}: {error}") from error


def _parsed(document: Path) -> dict[str, Any]:
    try:
        metadata = json.loads(document.read_bytes())
    except ValueError as error:
        raise ConfigurationError(f"{document} is not JSON ({error}): restore it from a copy of the store") from error
    if not isinstance(metadata, dict):
        raise ConfigurationError(f"{document} holds no Zarr metadata: restore it from a copy of the store")
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
    place = names.index(_SHARDING if _SHARDING in names else NAME)
    for codec in reversed(codecs[place + 1 :]):
        data = _undone(codec["name"], lambda d, c=codec: _without(c, d), data)
    if names[place] == NAME:
        yield None, data
        return
    settings = codecs[place]["configuration"]
    inner = settings["chunk_shape"]
    for number, part in _shard_parts(data, math.prod(n // m for n, m in zip(shape, inner, strict=True)), settings):
        streams = list(_parts(list(settings["codecs"]), inner, part))
        for within, stream in streams:
            yield number if within is None else number * len(streams) + within, stream


def _without(codec: _JSON, data: bytes) -> bytes:
    """Bytes as they were before a codec of format 3 that turns bytes into bytes."""
    instance: Any = get_codec_class(codec["name"]).from_dict(dict(codec))
    (decoded,) = sync(instance.decode([(default_buffer_prototype().buffer.from_bytes(data), _spec((len(data),)))]))
    return bytes(decoded.to_bytes())


def _spec(shape: tuple[int, ...]) -> ArraySpec:
    config = ArrayConfig.from_dict({})
    return ArraySpec(shape, UInt64(), np.uint64(_ABSENT), config, default_buffer_prototype())


def _undone(name: str, undo: Any, data: bytes) -> bytes:
    try:
        return bytes(undo(data))
    except TincError:
        raise
    except Exception as error:  # every codec has errors of its own
        if isinstance(error, KeyError | ImportError) or "Unknown" in type(error).__name__:
            raise UnsupportedDataError(f"codec {name!r}, which comes after TINC, is not installed") from error
        raise CorruptStreamError(f"codec {name!r}, which comes after TINC, does not decode it: {error}") from error


def _shard_parts(data: bytes, count: int, sharding: _JSON) -> Iterator[tuple[int, bytes]]:
    """The stored chunks of a shard and their numbers."""
    index = _undone_index(data, count, sharding)
    for number, (offset, length) in enumerate(index.tolist()):
        if offset == length == _ABSENT:
            continue
        if offset + length > len(data):
            raise CorruptStreamError(f"the shard of {len(data)} bytes has no chunk {number} at {offset}: it is cut off")
        yield number, data[offset : offset + length]


def _undone_index(data: bytes, count: int, sharding: _JSON) -> NDArray[np.uint64]:
    """Offsets and lengths of a shard's chunks, (count, 2)."""
    spec = _spec((count, 2))
    codecs: list[Any] = [get_codec_class(codec["name"]).from_dict(dict(codec)) for codec in sharding["index_codecs"]]
    pipeline = get_pipeline_class().from_codecs([codec.evolve_from_array_spec(spec) for codec in codecs])
    size = pipeline.compute_encoded_size(16 * count, spec)
    stored = data[:size] if sharding.get("index_location") == "start" else data[max(len(data) - size, 0) :]
    try:
        (index,) = sync(pipeline.decode([(default_buffer_prototype().buffer.from_bytes(stored), spec)]))
    except Exception as error:  # every codec has errors of its own
        raise CorruptStreamError(f"the shard's index cannot be decoded: {error}") from error
    assert index is not None
    return np.asarray(index.as_numpy_array(), np.uint64).reshape(count, 2)
