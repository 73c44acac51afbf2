"""A pyramid as an OME-Zarr image for other readers."""

import json
import pickle

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest

from tests.hosts.pyramids import LOSSLESS, create
from tinc_codec import (
    UnsupportedDataError,
    open_multiscale,
    zarr_kwargs,
)
from tinc_codec.hosts.ome_zarr_view import View


def test_an_ome_zarr_view_needs_no_stored_pyramid(tmp_path, ramp):
    image = zarr.create_group(tmp_path / "image.zarr", zarr_format=3)
    create(image.store_path / "0", ramp[None], (1, 32, 32, 32))
    axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space", "unit": "micrometer"} for n in "zyx")]
    scale = {"type": "scale", "scale": [1.0, 2.0, 0.5, 0.5]}
    image.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}],
    }
    pyramid = open_multiscale(tmp_path / "image.zarr", levels=3)
    assert pyramid.names == ("c", "z", "y", "x")
    view = pyramid.view()
    (multiscale,) = view.attrs["ome"]["multiscales"]
    assert multiscale["axes"] == axes
    assert [dataset["path"] for dataset in multiscale["datasets"]] == ["0", "1", "2"]
    transformations = multiscale["datasets"][2]["coordinateTransformations"]
    assert transformations[0] == {"type": "scale", "scale": [1.0, 8.0, 2.0, 2.0]}
    assert transformations[1] == {"type": "translation", "translation": [0.0, 3.0, 0.75, 0.75]}
    for number, level in enumerate(pyramid):
        array = view[str(number)]
        assert array.metadata.dimension_names == ("c", "z", "y", "x")
        assert (array[:] == level.compute()).all()
        assert (array[0, 1:7, 3, ::2] == level[0, 1:7, 3, ::2].compute()).all()
    assert sorted(view.array_keys()) == ["0", "1", "2"]
    assert (pickle.loads(pickle.dumps(view.store))) == view.store
    with pytest.raises((UnsupportedDataError, ValueError)):
        view["1"][:] = 4
    # what another program gets through the store alone
    keys = {key for key in _keys(view.store) if key.startswith("2/")}
    assert keys == {"2/zarr.json", *(f"2/c/0/{i}/{j}/{k}" for i in range(3) for j in range(2) for k in range(4))}
    assert json.loads(_get(view.store, "2/zarr.json"))["shape"] == [1, 18, 16, 25]
    assert np.frombuffer(_get(view.store, "2/c/0/0/0/0"), "<u2").reshape(8, 8, 8).tolist() == (
        pyramid[2][0, :8, :8, :8].compute().tolist()
    )
    assert _get(view.store, "2/c/0/9/0/0") is None
    assert _get(view.store, "3/zarr.json") is None


def _keys(store):
    async def collect():
        return [key async for key in store.list()]

    return zarr.core.sync.sync(collect())


def _get(store, key):
    buffer = zarr.core.sync.sync(store.get(key, zarr.core.buffer.default_buffer_prototype()))
    return None if buffer is None else buffer.to_bytes()


@pytest.mark.parametrize("dtype", [">u2", "<f4", "i1"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_views_of_any_dtype_and_fill_value(ramp, dtype, zarr_format):
    data = (ramp[:40, :40, 0] % 100).astype(dtype)
    fill = np.nan if dtype == "<f4" else None if zarr_format == 2 else 3
    array = zarr.create_array(
        zarr.storage.MemoryStore(),
        shape=(40, 40),
        chunks=(32, 32),
        dtype=dtype,
        **zarr_kwargs(LOSSLESS, zarr_format=zarr_format) | {"fill_value": fill},
    )
    array[:32, :32] = data[:32, :32]
    pyramid = open_multiscale(array, levels=2)
    for level, plain in zip(pyramid, pyramid.view().arrays(), strict=True):
        assert np.array_equal(plain[1][:], level.compute(), equal_nan=dtype == "<f4")
    store = pyramid.view().store
    assert _names(store, "") == ["0", "1", "zarr.json"]
    assert _names(store, "1") == _names(store, "1/") == ["c", "zarr.json"]
    assert _names(store, "1/c") == _names(store, "1/c/1") == ["0", "1"]
    assert _names(store, "1/c/2") == _names(store, "1/d") == _names(store, "2") == _names(store, "1/c/0/0") == []
    everything = _keys(store)
    assert len(everything) == len(set(everything)) == 1 + 2 * (1 + 4)


def _names(store, prefix):
    async def collect():
        return sorted([name async for name in store.list_dir(prefix)])

    return zarr.core.sync.sync(collect())


@pytest.fixture(scope="module")
def view():
    """Two levels of plain arrays, the coarser of three axes of odd sizes."""
    shapes = ((5, 4, 7), (3, 2, 4))
    volumes = [np.arange(np.prod(shape), dtype="u2").reshape(shape) for shape in shapes]
    arrays = [zarr.create_array(zarr.storage.MemoryStore(), data=volume, chunks=(2, 2, 4)) for volume in volumes]
    return View(arrays, [(1, 1, 1), (2, 2, 2)], "zyx", (None, [1.0] * 3, [0.0] * 3))


@given(parts=st.lists(st.sampled_from(["0", "1", "2", "c", "00", "-1", "٣", "zarr.json", "", "x"]), max_size=6))
def test_a_key_is_there_if_it_is_listed_and_not_otherwise(view, parts):
    key = "/".join(parts)
    there = key in _keys(view)
    assert zarr.core.sync.sync(view.exists(key)) == there
    assert (_get(view, key) is not None) == there
    folder = "/".join(filter(None, parts))
    start = f"{folder}/" if folder else ""
    assert set(_names(view, key)) == {
        k.removeprefix(start).partition("/")[0] for k in _keys(view) if k.startswith(start)
    }


@pytest.mark.parametrize("axes", [0, 1, 5])
def test_views_of_any_number_of_axes_read_as_what_they_show(axes):
    data = np.arange(3**axes, dtype="i4").reshape((3,) * axes)
    array = zarr.create_array(zarr.storage.MemoryStore(), data=data, chunks=(2,) * axes)
    one = View([array], [(1,) * axes], [""] * axes, (None, [1.0] * axes, [0.0] * axes))
    assert (zarr.open_group(one, mode="r")["0"][...] == data).all()
    assert len(_keys(one)) == 2 + array.nchunks


@pytest.mark.parametrize(
    ("byte_range", "expected"),
    [
        (RangeByteRequest(1, 4), slice(1, 4)),
        (OffsetByteRequest(3), slice(3, None)),
        (SuffixByteRequest(5), slice(-5, None)),
        (SuffixByteRequest(10**6), slice(None)),
    ],
)
def test_parts_of_documents_and_chunks(view, byte_range, expected):
    prototype = zarr.core.buffer.default_buffer_prototype()
    for key in ("zarr.json", "1/c/0/0/0"):
        whole = _get(view, key)
        pairs = [(key, byte_range), ("nothing", None)]
        part, missing = zarr.core.sync.sync(view.get_partial_values(prototype, pairs))
        assert part.to_bytes() == whole[expected]
        assert missing is None


def test_nothing_of_a_view_can_be_written(view):
    buffer = zarr.core.buffer.cpu.Buffer.from_bytes(b"x")
    with pytest.raises(UnsupportedDataError, match="nothing of it is stored"):
        zarr.core.sync.sync(view.set("0/c/0/0/0", buffer))
    with pytest.raises(UnsupportedDataError, match="nothing of it is stored"):
        zarr.core.sync.sync(view.delete("zarr.json"))
    assert "2 levels" in repr(view)
