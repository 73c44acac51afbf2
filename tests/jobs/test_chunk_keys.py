import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from tinc_codec.jobs.chunk_keys import chunk_keys

axes = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=4)


@given(axes, st.sampled_from([2, 3]), st.sampled_from(["default", "v2"]), st.sampled_from("./"))
def test_keys_are_those_that_zarr_writes(axes, zarr_format, style, separator):
    shape, chunks = ([pair[side] for pair in axes] for side in (0, 1))
    style = "v2" if zarr_format == 2 else style
    encoding = {"name": style, "separator": separator}
    array = zarr.create_array(
        MemoryStore(), shape=shape, chunks=chunks, dtype="u1", zarr_format=zarr_format, chunk_key_encoding=encoding
    )
    keys = chunk_keys(array.metadata.to_dict())
    assert keys.grid == array.cdata_shape
    for index in [(0,) * len(shape), tuple(max(0, n - 1) for n in keys.grid)]:
        key = array.metadata.encode_chunk_key(index)
        inside = all(keys.grid)
        assert keys.kind(key) == ("chunk" if inside else "outside")
        assert keys.index(key) == index
    if shape:
        assert keys.kind(array.metadata.encode_chunk_key(keys.grid)) == "outside"
    for other in ("readme.txt", "c/x", "0.0.partial", "-1.0"):
        assert keys.kind(other) == "foreign"


@pytest.mark.parametrize(
    "change",
    [
        {"chunk_grid": {"name": "rectilinear", "configuration": {}}},
        {"chunk_key_encoding": {"name": "other"}},
        {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "-"}}},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0]}}},
        {"shape": [1, 2]},
        {"shape": None},
    ],
)
def test_what_is_not_known_is_not_guessed(change):
    document = {
        "zarr_format": 3,
        "shape": [4],
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
    }
    assert chunk_keys(document) is not None
    assert chunk_keys({**document, **change}) is None
