"""Chunks of arrays in memory, whose documents and objects are all that is looked at."""

import numpy as np
import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from tinc_codec import TINCCodec, inspect, zarr_kwargs
from tinc_codec.errors import CorruptStreamError, RequestError
from tinc_codec.hosts.pyramid import derive
from tinc_codec.serve.chunks import TincArray, tinc_array

V = np.random.default_rng(0).integers(90, 110, (36, 18)).astype("u2")
LOSSLESS = TINCCodec(max_error=0)
LAYOUTS = {
    "two": {**zarr_kwargs(LOSSLESS, zarr_format=2), "chunks": (8, 9), "order": "F"},
    "three": {**zarr_kwargs(LOSSLESS), "chunks": (8, 9)},
    "shards": {**zarr_kwargs(LOSSLESS), "chunks": (8, 9), "shards": (16, 18)},
}


class Objects:
    """The objects of an array, and how much was read of each."""

    def __init__(self, store):
        self._store, self.read_bytes = store, {}

    def all_of(self, key):
        buffer = sync(self._store.get(key, default_buffer_prototype()))
        return None if buffer is None else buffer.to_bytes()

    def read(self, key, part):
        stored = self.all_of(key)
        if stored is None:
            return None
        read = stored if part is None else stored[part]
        self.read_bytes[key] = self.read_bytes.get(key, 0) + len(read)
        return read

    def size(self, key):
        return len(self.all_of(key) or b"")


@pytest.fixture(params=LAYOUTS)
def kept(request):
    """An array without its last row of chunks: by its document, its objects, and as zarr has it."""
    store, settings = zarr.storage.MemoryStore(), LAYOUTS[request.param]
    array = zarr.create_array(store, shape=V.shape, dtype="u2", fill_value=7, **settings)
    array[:32] = V[:32]
    objects = Objects(store)
    document = objects.all_of(".zarray" if request.param == "two" else "zarr.json")
    return TincArray(document), objects, array


def test_chunks_are_found_and_decoded_and_missing_ones_are_not(kept):
    array, objects, _ = kept
    for index in np.ndindex(4, 2):
        stored = array.find(index, objects.read, objects.size)
        y, x = (i * n for i, n in zip(index, (8, 9), strict=True))
        assert (array.decode(stored) == V[y : y + 8, x : x + 9]).all()
        assert [inspect(stream).shape for stream in array.streams(stored)] == [(8, 9)]
    assert array.find((4, 0), objects.read, objects.size) is None


def test_a_chunk_is_all_that_is_read_of_a_shard_beside_its_index(kept):
    array, objects, _ = kept
    stored = array.find((1, 1), objects.read, objects.size)
    (read,) = objects.read_bytes.values()
    assert read - len(stored) == (0 if array.unsharded is array.document else 4 * 16 + 4)


def test_a_level_is_that_of_the_chunk(kept):
    array, objects, stored = kept
    coarser = derive(stored, {}, levels=2)
    decoded = TincArray(array.stored, coarser.levels[1]).decode(array.find((1, 1), objects.read, objects.size))
    assert decoded.shape == (4, 9)
    assert (decoded == coarser.arrays[1][4:8, 9:]).all()


def test_chunks_beyond_what_may_be_decoded_are_refused(kept):
    array, _, _ = kept
    assert array.nbytes == 8 * 9 * 2
    array.check_size(array.nbytes)
    with pytest.raises(RequestError, match=r"shape \(8, 9\) takes 144 bytes, where at most 143") as refused:
        array.check_size(array.nbytes - 1)
    assert refused.value.status == 507


@pytest.mark.parametrize("kept", ["shards"], indirect=True)
def test_a_shard_that_is_cut_off_is_an_error_and_not_a_chunk_of_less(kept):
    array, objects, _ = kept
    shard, end = objects.all_of("c/0/0"), 4 * 16 + 4

    def find(left):
        return array.find((1, 1), lambda _, part: left[part], lambda _: len(left))

    assert array.decode(find(shard)).shape == (8, 9)
    with pytest.raises(CorruptStreamError, match=r"has no chunk 3 at .*: it is cut off"):
        find(shard[-end:])
    with pytest.raises(CorruptStreamError, match="index cannot be decoded"):
        find(shard[:-1])
    with pytest.raises(CorruptStreamError):  # the index is there, where the chunk's last bytes were
        array.decode(find(shard[: -end - 40] + shard[-end:]))


def test_damage_is_an_error(kept):
    array, objects, _ = kept
    stored = array.find((0, 0), objects.read, objects.size)
    with pytest.raises(CorruptStreamError):
        array.decode(bytes([*stored[:-3], stored[-3] ^ 1, *stored[-2:]]))


def test_a_document_is_parsed_once_for_each_level(kept):
    array, _, _ = kept
    assert tinc_array(array.stored) is tinc_array(bytes(bytearray(array.stored)))
    assert tinc_array(array.stored, (1, 1)) is not tinc_array(array.stored)
