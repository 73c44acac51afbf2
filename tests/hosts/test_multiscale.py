import json
import pickle

import numpy as np
import pytest
import zarr

from tinc_codec import (
    ConfigurationError,
    TINCCodec,
    UnsupportedDataError,
    open_multiscale,
    zarr_kwargs,
)
from tinc_codec.hosts.zarr_levels import LevelArray

LOSSLESS = TINCCodec(max_error=0)
LAYOUTS = {
    "format 2": {"zarr_format": 2},
    "format 3": {"zarr_format": 3},
    "shards": {"zarr_format": 3, "shards": (64, 64, 64)},
}


@pytest.fixture(scope="module")
def ramp():
    return np.add.outer(np.add.outer(np.arange(70) * 100, np.arange(64) * 3), np.arange(100)).astype("u2")


def create(place, data, chunks, codec=LOSSLESS, zarr_format=3, **settings):
    return zarr.create_array(place, data=data, chunks=chunks, **zarr_kwargs(codec, zarr_format=zarr_format), **settings)


def means(volume, factor):
    padded = np.pad(volume.astype(float), [(0, -n % factor) for n in volume.shape], constant_values=np.nan)
    blocks = padded.reshape([k for n in padded.shape for k in (n // factor, factor)])
    return np.nanmean(blocks, axis=tuple(range(1, 2 * volume.ndim, 2)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_levels_are_lazy_and_right_from_the_stored_chunks_alone(tmp_path, ramp, layout):
    create(tmp_path / "a", ramp, (32, 32, 32), **LAYOUTS[layout])
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    pyramid = open_multiscale(tmp_path / "a", levels=4)
    assert isinstance(pyramid, list)
    assert [level.shape for level in pyramid] == [(70, 64, 100), (35, 32, 50), (18, 16, 25), (9, 8, 13)]
    assert pyramid.factors == [(1,) * 3, (2,) * 3, (4,) * 3, (8,) * 3]
    assert (pyramid[0].compute() == ramp).all()
    for level, factor in zip(pyramid[1:], (2, 4, 8), strict=True):
        inside = level.compute().astype(float)[:-1, :, :-1]  # the last cells are cut off
        assert np.abs(inside - means(ramp, factor)[:-1, :, :-1]).max() <= 0.5
        assert (level[3, ::2, 1:5].compute() == level.compute()[3, ::2, 1:5]).all()
    copy = pickle.loads(pickle.dumps(pyramid.arrays[2]))
    assert (copy[:] == pyramid[2].compute()).all()
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before
    assert pyramid.arrays[1].attrs["tinc_codec"] == {"level": [1, 1, 1], "bounds_hold": False}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_level_cannot_be_written(ramp, layout):
    array = create(zarr.storage.MemoryStore(), ramp, (32, 32, 32), **LAYOUTS[layout])
    coarse = LevelArray(array, (1, 1, 1))
    with pytest.raises((UnsupportedDataError, ValueError)):
        coarse[:] = 3
    with pytest.raises((UnsupportedDataError, ValueError)):
        coarse[:] = 0  # chunks of the fill value are not encoded but removed
    assert (array[:] == ramp).all()


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


def test_which_axes_are_halved_and_how_often(ramp):
    small = ramp[None, :2, :32, :48, None].repeat(3, 0)
    array = create(zarr.storage.MemoryStore(), small, (1, 2, 16, 24, 1), dimension_names=["t", "z", "y", "x", "c"])
    pyramid = open_multiscale(array, levels=9)
    assert pyramid.factors == [(1,) * 5, (1, 2, 2, 2, 1), (1, 2, 4, 4, 1), (1, 2, 8, 8, 1), (1, 2, 16, 8, 1)]
    assert open_multiscale(array, levels=9, axes=["y"]).factors[-1] == (1, 1, 16, 1, 1)
    assert open_multiscale(array, levels=2, axes=[3]).factors[-1] == (1, 1, 1, 2, 1)
    assert len(open_multiscale(array)) == 1
    with pytest.raises(ConfigurationError, match="axis 'q'"):
        open_multiscale(array, axes=["q"])
    with pytest.raises(ConfigurationError, match="levels=0"):
        open_multiscale(array, levels=0)
    with pytest.raises(UnsupportedDataError, match="axis 3 has no level 4"):
        LevelArray(array, (0, 0, 0, 4, 0))


def test_what_has_no_levels_is_refused(tmp_path, ramp):
    plain = zarr.create_array(zarr.storage.MemoryStore(), data=ramp, chunks=(32, 32, 32))
    with pytest.raises(UnsupportedDataError, match="must be TINC streams"):
        open_multiscale(plain)
    zarr.create_group(tmp_path / "group")
    with pytest.raises(ConfigurationError, match="no OME-Zarr image"):
        open_multiscale(tmp_path / "group")


def test_a_missing_chunk_is_the_fill_value_at_every_level(ramp):
    array = zarr.create_array(
        zarr.storage.MemoryStore(), shape=(64, 64), chunks=(32, 32), dtype="u2", fill_value=7, **zarr_kwargs(LOSSLESS)
    )
    array[:32, :32] = ramp[:32, :32, 0]
    coarse = open_multiscale(array, levels=3)[2].compute()
    assert (coarse[8:] == 7).all()
    assert (coarse[:8, :8] != 7).any()
