"""Where a shard's chunks lie: the index that it begins or ends with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zarr.core.array_spec import ArrayConfig, ArraySpec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.dtype import UInt64
from zarr.core.sync import sync
from zarr.registry import get_codec_class, get_pipeline_class

from tinc_codec.errors import CorruptStreamError

SHARDING = "sharding_indexed"
"""The name of the codec in Zarr format 3."""

_ABSENT = 2**64 - 1


class ShardIndex:
    """The index of an array's shards.

    Parameters
    ----------
    shard
        Voxels of a shard along each axis.
    configuration
        Of the sharding codec, as JSON.
    """

    def __init__(self, shard: Sequence[int], configuration: Mapping[str, Any]) -> None:
        self.grid = tuple(n // m for n, m in zip(shard, configuration["chunk_shape"], strict=True))
        self.at_start = configuration.get("index_location") == "start"
        self._spec = bytes_spec((math.prod(self.grid), 2))
        codecs: list[Any] = [get_codec_class(c["name"]).from_dict(dict(c)) for c in configuration["index_codecs"]]
        evolved = [codec.evolve_from_array_spec(self._spec) for codec in codecs]
        self._pipeline = get_pipeline_class().from_codecs(evolved)
        self.nbytes = self._pipeline.compute_encoded_size(16 * math.prod(self.grid), self._spec)
        """Bytes that it takes of a shard."""

    def of_shard(self, data: bytes) -> NDArray[np.uint64]:
        """Offsets and lengths of the chunks of a whole shard, (chunks, 2); see `parse`."""
        return self.parse(data[: self.nbytes] if self.at_start else data[max(len(data) - self.nbytes, 0) :])

    def parse(self, stored: bytes) -> NDArray[np.uint64]:
        """Offsets and lengths of chunks, (chunks, 2), from the index as it is stored.

        Raises
        ------
        CorruptStreamError
            It cannot be decoded.
        """
        try:
            (index,) = sync(self._pipeline.decode([(default_buffer_prototype().buffer.from_bytes(stored), self._spec)]))
        except Exception as error:  # every codec has errors of its own
            raise CorruptStreamError(f"the shard's index cannot be decoded: {error}") from error
        assert index is not None
        return np.asarray(index.as_numpy_array(), np.uint64).reshape(-1, 2)


def place_in(index: NDArray[np.uint64], number: int) -> tuple[int, int] | None:
    """Offset and length of a chunk of a shard; None: it is not stored."""
    offset, length = index[number].tolist()
    return None if offset == length == _ABSENT else (offset, length)


def shard_chunks(data: bytes, shard: Sequence[int], configuration: Mapping[str, Any]) -> Iterator[tuple[int, bytes]]:
    """The stored chunks of a whole shard, and their numbers."""
    index = ShardIndex(shard, configuration).of_shard(data)
    for number in range(len(index)):
        place = place_in(index, number)
        if place is None:
            continue
        offset, length = place
        if offset + length > len(data):
            raise CorruptStreamError(f"the shard of {len(data)} bytes has no chunk {number} at {offset}: it is cut off")
        yield number, data[offset : offset + length]


def bytes_spec(shape: tuple[int, ...]) -> ArraySpec:
    """What codecs of bytes are told of what they decode, which they do not look at; the index is of uint64."""
    config = ArrayConfig.from_dict({})
    return ArraySpec(shape, UInt64(), np.uint64(_ABSENT), config, default_buffer_prototype())
