import json

import numpy as np
import pytest
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec

from tinc_codec import CorruptStreamError
from tinc_codec.hosts.shards import ShardIndex, place_in, shard_chunks

V = np.arange(64, dtype="u1").reshape(8, 8)


@pytest.fixture(params=["start", "end"])
def shard(request, tmp_path):
    """A shard whose last chunk is missing, and the index of such shards."""
    codec = ShardingCodec(
        chunk_shape=(4, 4),
        codecs=[BytesCodec()],
        index_codecs=[BytesCodec(), Crc32cCodec()],
        index_location=request.param,
    )
    settings = {"serializer": codec, "compressors": None, "fill_value": 0}
    array = zarr.create_array(tmp_path / "a", shape=(8, 8), chunks=(8, 8), dtype="u1", **settings)
    array[:] = np.where(np.add.outer(np.arange(8) // 4, np.arange(8) // 4) == 2, 0, V + 1)
    configuration = json.loads((tmp_path / "a" / "zarr.json").read_text())["codecs"][0]["configuration"]
    return (tmp_path / "a" / "c" / "0" / "0").read_bytes(), configuration


def test_chunks_lie_where_the_index_says(shard):
    data, configuration = shard
    index = ShardIndex((8, 8), configuration)
    assert (index.grid, index.nbytes) == ((2, 2), 4 * 16 + 4)
    places = [place_in(index.of_shard(data), number) for number in range(4)]
    assert places[3] is None
    for number, (row, column) in enumerate([(0, 0), (0, 4), (4, 0)]):
        offset, length = places[number]
        expected = (V + 1)[row : row + 4, column : column + 4].tobytes()
        assert data[offset : offset + length] == expected
        assert dict(shard_chunks(data, (8, 8), configuration))[number] == expected


def test_an_index_that_is_damaged_or_cut_off_is_an_error(shard):
    data, configuration = shard
    index = ShardIndex((8, 8), configuration)
    stored = data[: index.nbytes] if index.at_start else data[-index.nbytes :]
    for damaged in (b"", stored[:-1], bytes([stored[0] ^ 1, *stored[1:]])):
        with pytest.raises(CorruptStreamError, match="index cannot be decoded"):
            index.parse(damaged)
    if index.at_start:
        with pytest.raises(CorruptStreamError, match="it is cut off"):
            list(shard_chunks(data[:-1], (8, 8), configuration))
