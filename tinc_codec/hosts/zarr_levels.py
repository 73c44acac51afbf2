"""A TINC array at coarser resolution, as a Zarr array over the same store: chunks are decoded at a level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import zarr
from numpy.typing import NDArray
from zarr.codecs import ShardingCodec
from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata
from zarr.storage import StorePath

from tinc_codec.decoding import decode as decoding
from tinc_codec.decoding.levels import READ_ONLY, cells, parse_level
from tinc_codec.errors import UnsupportedDataError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.zarr3 import TINCSerializer
from tinc_codec.stream.limits import Expected

Level = tuple[int, ...]

BATCH = 32
"""Chunks that zarr hands over at a time: at a coarser level each takes little longer than zarr's own work for one."""


class LevelArray(zarr.Array[Any]):
    """What ``array`` is at one level: read-only, nothing of it is stored.

    Bounds on the error that the finest level keeps do not hold here; the attribute ``tinc_codec`` says so.

    Parameters
    ----------
    finest
        An array whose chunks are TINC streams.
    level
        For each axis k: one sample for 2^k.
    """

    def __init__(self, finest: zarr.Array[Any], level: Level) -> None:
        self.finest, self.level = finest, parse_level(level, finest.ndim)
        check_level(finest, self.level)
        path = finest.store_path
        place = StorePath(_read_only(path.store), path.path)
        with zarr.config.set({"codec_pipeline.batch_size": BATCH}):
            super().__init__(zarr.AsyncArray(_metadata(finest, self.level), place))

    def __reduce__(self) -> Any:
        # a shard's codec would be pickled as JSON, which says nothing of levels
        return LevelArray, (self.finest, self.level)


class LevelCodec(TINCCodec):
    """The codec of format 2 that decodes at a level."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self.level = level

    def encode(self, buf: Any) -> bytes:
        """Raise `UnsupportedDataError`."""
        raise UnsupportedDataError(READ_ONLY)

    def _decoded(self, stream: bytes, expected: Expected | None) -> NDArray[Any]:
        # what the coarse array takes says little of the chunk
        return decoding.decode(stream, level=self.level)


def check_level(array: zarr.Array[Any], level: Level) -> None:
    """Raise `UnsupportedDataError` unless an array's chunks can be read at a level.

    Along an axis of several chunks, they must be made of whole cells.
    """
    if not isinstance(array.metadata, ArrayV2Metadata | ArrayV3Metadata) or _codecs(array.metadata, level) is None:
        raise UnsupportedDataError(
            f"array {array.name or array.store_path!s} has no coarser levels: its chunks must be TINC streams with "
            "nothing before TINC, as zarr_kwargs makes them"
        )
    for axis, (n, chunk, k) in enumerate(zip(array.shape, array.chunks, level, strict=True)):
        if k > halvings(n, chunk):
            raise UnsupportedDataError(
                f"axis {axis} has no level {k}: its chunks of {chunk} voxels are not cells of {2**k} voxels"
            )


def halvings(n: int, chunk: int) -> int:
    """How often an axis of `n` voxels in chunks can be halved."""
    if n <= chunk:  # one chunk: its last cell may be cut off
        return max(n - 1, 0).bit_length()
    return (chunk & -chunk).bit_length() - 1


def _read_only(store: Any) -> Any:
    try:
        return store.with_read_only(True)
    except NotImplementedError:  # then it is only the codec that cannot write
        return store


def _metadata(array: zarr.Array[Any], level: Level) -> ArrayV2Metadata | ArrayV3Metadata:
    metadata: Any = array.metadata
    attributes = {**metadata.attributes, "tinc_codec": {"level": list(level), "bounds_hold": not any(level)}}
    shape, chunks = cells(metadata.shape, level), cells(array.shards or array.chunks, level)
    common = {"shape": shape, "attributes": attributes, **(_codecs(metadata, level) or {})}
    if isinstance(metadata, ArrayV2Metadata):
        return replace(metadata, chunks=chunks, **common)
    grid = {"name": "regular", "configuration": {"chunk_shape": chunks}}
    changed: ArrayV3Metadata = replace(metadata, chunk_grid=grid, **common)
    return changed


def _codecs(metadata: Any, level: Level) -> dict[str, Any] | None:
    """The slots for codecs, with TINC's at a level; None where something comes before it, or it is not there."""
    if isinstance(metadata, ArrayV2Metadata):
        filters = tuple(metadata.filters or ())
        if isinstance(metadata.compressor, TINCCodec) and not filters:
            return {"compressor": LevelCodec(level)}
        if filters and isinstance(filters[0], TINCCodec):
            return {"filters": (LevelCodec(level), *filters[1:])}
        return None
    changed = _serializers(metadata.codecs, level)
    return None if changed is None else {"codecs": changed}


def _serializers(codecs: tuple[Any, ...], level: Level) -> tuple[Any, ...] | None:
    first, *rest = codecs
    if isinstance(first, TINCSerializer):
        return (replace(first, level=level), *rest)
    if isinstance(first, ShardingCodec):
        inner = _serializers(tuple(first.codecs), level)
        return inner and (replace(first, chunk_shape=cells(first.chunk_shape, level), codecs=inner), *rest)
    return None
