"""Arrays of NumPy, dask and xarray as sources, and what is said of anything else."""

import pickle

import numpy as np
import pytest
import zarr

import tinc_codec
from tinc_codec import ConfigurationError, UnsupportedDataError
from tinc_codec.jobs.source_tree import open_source
from tinc_codec.jobs.sources import ArrayReader

da = pytest.importorskip("dask.array")
xr = pytest.importorskip("xarray")
QUIET = {"progress": False}


@pytest.mark.parametrize("make", [np.asfortranarray, lambda v: v.astype(">u2"), lambda v: v[::-1, ::2, 3:]])
def test_numpy_arrays(tmp_path, volume, bounded, client, make):
    v = make(volume)
    tinc_codec.compress(v, tmp_path / "o.zarr", bounded, chunks=(16, 32, 32), client=client, **QUIET)
    got = zarr.open_array(tmp_path / "o.zarr", mode="r")
    assert got.chunks == (16, 32, 32)
    assert np.abs(got[...].astype(int) - v).max() <= 20


def test_numpy_arrays_in_processes_of_their_own(tmp_path, volume, bounded):
    tinc_codec.compress(volume, tmp_path / "o.zarr", bounded, workers=1, devices="cpu", **QUIET)
    assert np.abs(zarr.open_array(tmp_path / "o.zarr", mode="r")[...].astype(int) - volume).max() <= 20


def test_another_array_does_not_go_on_with_the_first_ones_job(tmp_path, volume, bounded, client):
    settings = {"client": client, "verify": False, **QUIET}
    first = tinc_codec.compress(volume, tmp_path / "o.zarr", bounded, chunks=(20, 50, 60), **settings)
    same = tinc_codec.compress(volume.copy(), tmp_path / "o.zarr", bounded, chunks=(20, 50, 60), **settings)
    other = tinc_codec.compress(volume + 200, tmp_path / "o.zarr", bounded, chunks=(20, 50, 60), **settings)
    assert (first.done, same.done, other.done) == (2, 0, 2)
    assert np.abs(zarr.open_array(tmp_path / "o.zarr", mode="r")[...].astype(int) - volume - 200).max() <= 20


def test_a_task_brings_its_part_and_no_more(volume):
    reader = ArrayReader(volume)
    part = reader.part(np.s_[0:8, 0:8, 0:8])
    assert len(pickle.dumps(part)) < 8**3 * 2 + 1000
    assert reader.identity == ArrayReader(np.asfortranarray(volume)).identity != ArrayReader(volume + 1).identity


def test_xarray_arrays_keep_names_attributes_and_missing_values(tmp_path, volume, bounded, client):
    v = np.where(volume > np.quantile(volume, 0.9), 0, volume + 1).astype("u2")
    attributes = {"unit": "counts", "gain": np.float32(0.5), "_FillValue": np.uint16(0), "size": np.arange(3)}
    for number, data in enumerate((v, da.from_array(v, chunks=(20, 25, 60)))):
        array = xr.DataArray(data, dims=["t", "y", "x"], attrs=attributes)
        tinc_codec.compress(array, tmp_path / f"{number}.zarr", bounded, client=client, **QUIET)
        got = zarr.open_array(tmp_path / f"{number}.zarr", mode="r")
        assert got.metadata.dimension_names == ("t", "y", "x")
        assert got.chunks == ((1, 50, 60), (20, 25, 60))[number]
        assert dict(got.attrs) == {"unit": "counts", "gain": 0.5, "_FillValue": 0, "size": [0, 1, 2]}
        assert ((got[...] == 0) == (v == 0)).all()


def refusals():
    small = np.ones((4, 4), "u2")
    labelled = xr.DataArray(small, dims=["y", "x"], coords={"y": [0, 1, 2, 3]})
    lazy = da.from_array(small, chunks=(2, 2))
    yield xr.Dataset({"a": labelled}), "Dataset, which xarray itself writes.*xarray_encoding"
    yield labelled, r"has coordinates \(y\).*drop_vars"
    yield xr.DataArray(small, attrs={"made": object()}), "attribute 'made'"
    yield lazy[lazy.sum(axis=1) > 1], "unknown sizes along axis 0.*compute_chunk_sizes"
    yield da.from_array(small, chunks=((1, 2, 1), (4,))), "blocks differ in size"
    yield lazy.sum().to_delayed().item(), "not an array"
    yield np.ma.masked_equal(small, 1), "masked array.*filled"
    yield zarr.create_array(zarr.storage.MemoryStore(), data=small), "in the memory of this process"
    yield [[1, 2]], "the source is a list: give a Zarr array or group.*NumPy array"
    yield None, "the source is a NoneType"
    yield memoryview(b"abc"), "the source is a memoryview"


@pytest.mark.parametrize(("source", "message"), list(refusals()), ids=lambda value: type(value).__name__)
def test_what_cannot_be_a_source_is_told_what_to_do(tmp_path, bounded, client, source, message):
    with pytest.raises(ConfigurationError, match=message):
        tinc_codec.compress(source, tmp_path / "o.zarr", bounded, client=client, **QUIET)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["bool", "c8", "M8[s]", "U3"])
@pytest.mark.parametrize("wrap", [np.asarray, da.from_array, xr.DataArray])
def test_dtypes_that_cannot_be_stored(dtype, wrap):
    with pytest.raises(UnsupportedDataError, match="is not supported"):
        open_source(wrap(np.zeros((4, 4), dtype)))


def test_an_array_that_xarray_opened_and_did_not_load(tmp_path, volume):
    xr.Dataset({"a": (("z", "y", "x"), volume)}).to_zarr(tmp_path / "s.zarr", zarr_format=3, consolidated=False)
    opened = xr.open_dataset(tmp_path / "s.zarr", engine="zarr", consolidated=False, chunks=None)["a"]
    with pytest.raises(ConfigurationError, match=r"array.chunk\(\), or array.load\(\)"):
        open_source(opened)
    assert open_source(opened.chunk()).members[0].reader.shape == volume.shape
    assert open_source(opened.load()).members[0].reader.shape == volume.shape
