"""Chunks that are written in parts, one after the other: bounds hold, errors do not add up, and one warning says so."""

import pickle
import warnings

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import TransposeCodec

from tinc_codec import PartialWriteWarning, TINCCodec, TINCSerializer, decode, zarr_kwargs
from tinc_codec.decoding.inspect import inspect
from tinc_codec.hosts.rewriting import StoredSamples
from tinc_codec.hosts.stored import stored_chunks

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])
BOUNDED = TINCCodec(max_error=8, effort=1)


def noise(*shape, dtype="u2"):
    return np.random.default_rng(0).normal(100, 10, shape).astype(dtype)


def create(path, like, codec=BOUNDED, zarr_format=3, **settings):
    arguments = {"chunks": like.shape} | zarr_kwargs(codec, zarr_format=zarr_format) | settings
    return zarr.create_array(path, shape=like.shape, dtype=like.dtype, **arguments)


def heard(write):
    """Categories of the warnings that a write gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        write()
    return [warning.category for warning in caught]


def worst(array, v):
    return np.abs(np.asarray(array[...], float) - v).max()


LAYOUTS = {
    "format 2": (2, {}),
    "format 2, F order": (2, {"order": "F"}),
    "format 3": (3, {}),
    "format 3, F order": (3, {"config": {"order": "F"}}),
    "shards": (3, {"chunks": (8, 12, 24), "shards": (8, 24, 24)}),
    "transposed": (3, {"filters": [TransposeCodec(order=(2, 0, 1))]}),
    "big-endian": (2, {"dtype": ">u2"}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_planes_written_one_by_one_keep_the_bound_and_are_warned_of_once(tmp_path, layout, dtype):
    zarr_format, settings = LAYOUTS[layout]
    v = noise(8, 24, 24, dtype=settings.get("dtype", dtype))
    array = create(tmp_path / "a", v, zarr_format=zarr_format, **{k: x for k, x in settings.items() if k != "dtype"})

    def write():
        for z in range(len(v)):
            array[z] = v[z]

    assert heard(write) == [PartialWriteWarning]
    assert worst(array, v) <= 8
    for _, stream in stored_chunks(tmp_path / "a"):
        assert 0 < inspect(stream).quality.max_error <= 8  # what it may have lost since it was first written
    array[...] = v
    assert worst(array, v) <= 8


@FORMATS
def test_the_same_samples_again_change_no_byte(tmp_path, zarr_format):
    v = noise(8, 24, 24)
    array = create(tmp_path / "a", v, zarr_format=zarr_format)
    array[...] = v
    before = dict(stored_chunks(tmp_path / "a"))
    for z in range(len(v)):
        array[z] = array[z]
    assert dict(stored_chunks(tmp_path / "a")) == before


WRITES = {
    "append": lambda a: a.append(noise(3, 24, 24)),
    "block": lambda a: a.__setitem__(np.s_[1:3, ::2, 5], 7),
    "orthogonal": lambda a: a.set_orthogonal_selection(([1, 4], slice(None), [3, 20]), 0),
    "coordinates": lambda a: a.set_coordinate_selection(([1, 4], [2, 3], [4, 5]), np.array([7, 8], "u2")),
}


@FORMATS
@pytest.mark.parametrize("write", WRITES)
def test_every_way_to_write_a_part_keeps_what_was_there(tmp_path, zarr_format, write):
    v = noise(5, 24, 24)
    array = create(tmp_path / "a", v, zarr_format=zarr_format, chunks=(8, 24, 24))
    array[...] = v
    before = array[...]
    assert heard(lambda: WRITES[write](array)) == [PartialWriteWarning]
    after = array[:5]
    assert (after == before).mean() > 0.9
    assert set(np.unique(after[after != before])) <= {0, 7, 8}


@FORMATS
def test_every_array_that_is_opened_warns_for_itself(tmp_path, zarr_format):
    v = noise(4, 24, 24)
    for name in "ab":
        array = create(tmp_path / name, v, zarr_format=zarr_format)
        array[...] = v
        assert heard(lambda array=array: array.__setitem__(0, v[1])) == [PartialWriteWarning]
        assert heard(lambda array=array: array.__setitem__(1, v[2])) == []
    again = zarr.open_array(tmp_path / "a", mode="r+")
    assert heard(lambda: again.__setitem__((0, 0, 0), 3)) == [PartialWriteWarning]


@FORMATS
def test_whole_chunks_new_chunks_and_lossless_arrays_do_not_warn(tmp_path, zarr_format):
    v = noise(10, 24, 24)
    array = create(tmp_path / "a", v, zarr_format=zarr_format, chunks=(4, 24, 24))
    exact = create(tmp_path / "b", v, TINCCodec(max_error=0), zarr_format=zarr_format)

    def write():
        for _ in range(2):
            array[:4], array[4:8], array[8:] = v[:4], v[4:8], v[8:]  # the last is cut off at the array's end
        for z in range(3):
            exact[z] = v[z]

    assert heard(write) == []
    assert worst(array, v) <= 8


@FORMATS
def test_a_chunk_that_was_exact_may_lose_once(tmp_path, zarr_format):
    v = np.random.default_rng(1).integers(0, 2**63, (4, 8, 8), dtype="u8")  # too wide for any bound: stored losslessly
    array = create(tmp_path / "a", v, zarr_format=zarr_format)
    array[...] = v
    assert heard(lambda: array.__setitem__(0, 5)) == []
    assert (array[1:] == v[1:]).all()


@FORMATS
def test_a_psnr_is_not_eaten_up(tmp_path, zarr_format):
    v = noise(8, 24, 24)
    array = create(tmp_path / "a", v, TINCCodec(psnr=25, effort=1), zarr_format=zarr_format)
    array[...] = v
    before = array[...]
    with pytest.warns(PartialWriteWarning):
        array[:4] = v[:4]
    assert (array[4:] == before[4:]).all()
    assert (array[:4] == v[:4]).all()


@settings(max_examples=25)
@given(st.lists(st.tuples(*[st.tuples(st.integers(0, 5), st.integers(1, 6))] * 3), min_size=1, max_size=6), st.data())
def test_any_sequence_of_writes_keeps_the_bound(boxes, data):
    store = zarr.storage.MemoryStore()
    zarr_format, shape = data.draw(st.sampled_from([2, 3])), (6, 7, 8)
    array = create(store, np.empty(shape, "i2"), TINCCodec(max_error=3), zarr_format, chunks=(4, 7, 5))
    expected = np.zeros(shape, "i2")
    rng = np.random.default_rng(len(boxes))
    for box in boxes:
        where = tuple(slice(start, start + length) for start, length in box)
        expected[where] = rng.normal(0, 30, expected[where].shape)
        heard(lambda where=where: array.__setitem__(where, expected[where]))
    assert worst(array, expected) <= 3


def test_what_is_decoded_is_a_plain_array_to_everybody_else():
    v = noise(4, 24, 24)
    stream = BOUNDED.encode(v)
    got = BOUNDED.decode(stream)
    assert (got == decode(stream)).all()
    assert type(decode(stream)) is np.ndarray
    for derived in (got + 1, np.sqrt(got), pickle.loads(pickle.dumps(got)), np.asarray(got)):
        assert type(derived) is np.ndarray
    assert isinstance(got.sum(), np.integer)
    assert repr(got) == repr(np.asarray(got))
    for same in (got.copy(), got.transpose(2, 0, 1).copy().transpose(1, 2, 0)):
        assert isinstance(same, StoredSamples)
        assert same.stream == stream
    assert BOUNDED.encode(got) == stream
    assert type(TINCCodec(max_error=0).decode(stream)) is np.ndarray


def test_samples_that_lie_anywhere_in_memory_are_encoded():
    v = noise(4, 6, 6)
    anywhere = np.frombuffer(b"x" + v.tobytes(), np.uint8)[1:].view("u2").reshape(v.shape)
    assert not anywhere.flags.aligned
    assert BOUNDED.encode(anywhere) == BOUNDED.encode(v)


def test_a_warning_taken_for_an_error_leaves_the_chunk(tmp_path):
    v = noise(4, 24, 24)
    array = create(tmp_path / "a", v)
    array[...] = v
    before = array[...]
    with pytest.raises(PartialWriteWarning):
        array[0] = 0
    assert (array[...] == before).all()


def test_serializers_stay_equal_after_they_warned(tmp_path):
    v = noise(4, 24, 24)
    array = create(tmp_path / "a", v)
    array[...] = v
    assert heard(lambda: array.__setitem__(0, v[1])) == [PartialWriteWarning]
    (warned,), fresh = array.metadata.codecs, TINCSerializer(BOUNDED.config)
    assert warned == fresh == pickle.loads(pickle.dumps(warned))
    assert hash(warned) == hash(fresh)
