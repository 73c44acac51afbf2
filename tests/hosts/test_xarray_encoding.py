"""xarray opens what it wrote, lazily, and with as many missing values as there were."""

import subprocess
import sys

import numpy as np
import pytest
import zarr

import tinc_codec
from tinc_codec import TINCCodec, xarray_encoding
from tinc_codec.hosts.zarr3 import is_compressed

xr = pytest.importorskip("xarray")
CODEC = TINCCodec(max_error=3, effort=1)
SPACE = ("z", "y", "x")
CHUNKS = {"z": 20, "y": 25, "x": 60}


@pytest.fixture
def dataset(volume):
    rng = np.random.default_rng(0)
    floats = np.where(rng.random(volume.shape) < 0.1, np.nan, volume).astype("f4")
    packed = np.where(rng.random(volume.shape) < 0.1, np.nan, volume * 0.1)
    integers = np.where(rng.random(volume.shape) < 0.1, np.nan, volume)
    return xr.Dataset(
        {
            "image": (SPACE, volume, {"units": "counts"}),
            "floats": (SPACE, floats),
            "packed": (SPACE, packed),
            "integers": (SPACE, integers),
            "profile": ("z", volume.mean((1, 2))),
            "names": ("z", [f"plane {i}" for i in range(volume.shape[0])]),
        },
        coords={"z": np.arange(volume.shape[0]) * 2.0, "lat": (("y", "x"), rng.normal(size=volume.shape[1:]))},
    )


def with_encoding(dataset):
    dataset["floats"].encoding = {"_FillValue": np.float32(-999)}
    dataset["packed"].encoding = {"dtype": "i2", "scale_factor": 0.1, "_FillValue": -32768}
    dataset["integers"].encoding = {"dtype": "u2", "_FillValue": 0}
    return dataset


@pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification")
@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("own", [False, True])
def test_missing_values_are_as_many_and_in_the_same_places(tmp_path, dataset, zarr_format, own):
    if own:
        dataset = with_encoding(dataset)
    dataset = dataset.drop_vars("names")
    encoding = xarray_encoding(dataset, CODEC, zarr_format=zarr_format, chunks=CHUNKS)
    assert sorted(encoding) == ["floats", "image", "integers", "packed"]
    dataset.to_zarr(tmp_path / "a.zarr", zarr_format=zarr_format, encoding=encoding)
    with xr.open_zarr(tmp_path / "a.zarr") as opened:
        for name in ("floats", "packed", "integers"):
            assert (opened[name].isnull() == dataset[name].isnull()).all()
            assert opened[name].isnull().sum() == dataset[name].isnull().sum() > 0
            scale = 0.1 if own and name == "packed" else 1
            assert float(abs(opened[name] - dataset[name]).max()) <= 3 * scale + 1e-3 + scale
        assert float(abs(opened["image"].astype(int) - dataset["image"]).max()) <= 3
        assert opened["lat"].equals(dataset["lat"])
        assert opened["profile"].equals(dataset["profile"])
        assert opened["image"].attrs == {"units": "counts"}
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    assert is_compressed(group["image"].metadata.to_dict())
    assert not is_compressed(group["lat"].metadata.to_dict())


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_regions_and_delayed_computation(tmp_path, dataset):
    pytest.importorskip("dask")
    lazy = dataset[["image"]].chunk(CHUNKS)
    encoding = xarray_encoding(lazy, CODEC)
    delayed = lazy.to_zarr(tmp_path / "a.zarr", zarr_format=3, encoding=encoding, compute=False)
    assert (zarr.open_group(tmp_path / "a.zarr", mode="r")["image"][:] == 0).all()
    delayed.compute()
    before = xr.open_zarr(tmp_path / "a.zarr")["image"].load()
    assert abs(before.astype(int) - dataset["image"]).max() <= 3
    part = (dataset[["image"]].isel(z=slice(20, 40)) + 500).drop_vars(["z", "lat"])
    part.to_zarr(tmp_path / "a.zarr", region={"z": slice(20, 40), "y": slice(0, 50), "x": slice(0, 60)})
    after = xr.open_zarr(tmp_path / "a.zarr")["image"].load()
    assert after[:20].equals(before[:20])
    assert abs(after[20:].astype(int) - 500 - dataset["image"][20:]).max() <= 3


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_opening_is_lazy_and_names_nothing_of_this_package(tmp_path, dataset):
    lazy = dataset[["image"]].chunk(CHUNKS)
    lazy.to_zarr(tmp_path / "a.zarr", zarr_format=3, encoding=xarray_encoding(lazy, CODEC))
    code = (
        "import sys, xarray as xr\n"
        f"image = xr.open_zarr({str(tmp_path / 'a.zarr')!r}, consolidated=False)['image']\n"
        "assert image.chunks is not None\n"
        "assert image.isel(z=3, y=slice(0, 10)).mean() > 0\n"
        "assert 'tinc_codec' in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_dataset_that_is_already_stored_is_compressed_by_a_job(tmp_path, dataset, client, zarr_format):
    stored = with_encoding(dataset.drop_vars("names"))
    stored.to_zarr(tmp_path / "a.zarr", zarr_format=zarr_format, encoding={"image": {"chunks": (20, 25, 60)}})
    tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", CODEC, client=client, progress=False)
    with xr.open_zarr(tmp_path / "a.zarr") as before, xr.open_zarr(tmp_path / "b.zarr") as after:
        assert sorted(after.variables) == sorted(before.variables)
        for name in ("floats", "packed", "integers"):
            assert (after[name].isnull() == before[name].isnull()).all()
        for name in ("lat", "z", "profile"):
            assert after[name].equals(before[name])
        assert after["packed"].encoding["scale_factor"] == 0.1


def test_a_dataset_with_nothing_for_the_codec_is_said(dataset, caplog):
    assert xarray_encoding(dataset[["profile", "names"]], CODEC) == {}
    assert "no variable" in caplog.text


def test_only_images_of_a_dataset_are_encoded(volume):
    rng = np.random.default_rng(0)
    objects = np.kron(rng.integers(0, 60_000, (10, 10, 10)), np.ones((4, 5, 6))).astype("u2")
    when = np.datetime64("2024-01-01", "ns") + rng.integers(0, 10**15, (80, 90)).astype("m8[ns]")
    ds = xr.Dataset(
        {
            "image": (SPACE, volume, {"ancillary_variables": "noise", "grid_mapping": "grid: z y x"}),
            "noise": (SPACE, rng.normal(100, 10, volume.shape)),
            "grid": (("a", "b"), rng.normal(size=(80, 90))),
            "when": (("a", "b"), when),
            "since": (("a", "b"), rng.normal(size=(80, 90)), {"units": "days since 2024-01-01"}),
            "mask": (SPACE, volume > 200),
            "bits": (SPACE, (volume > 200).astype("u1")),
            "flags": (("a", "b"), rng.integers(0, 99, (80, 90)), {"flag_values": [0, 1]}),
            "objects": (SPACE, objects),
            "edges": (("a", "b"), rng.normal(size=(80, 90))),
        },
        coords={"a": ("a", np.arange(80.0), {"bounds": "edges"})},
    )
    ds["when"].encoding["dtype"] = "i8"
    assert sorted(xarray_encoding(ds, CODEC)) == ["image"]
    assert sorted(xarray_encoding(ds, CODEC, exact="im*", lossy=["noise", "ob*"])) == ["noise", "objects"]
    packed = ds[["image"]].astype("f4") * 0.001
    packed["image"].encoding = {"dtype": "i2", "scale_factor": 0.001}
    assert sorted(xarray_encoding(packed, CODEC)) == ["image"]
    for settings, message in (({"exact": "x*"}, "matches no array"), ({"lossy": "mask"}, "cannot code")):
        with pytest.raises(tinc_codec.ConfigurationError, match=message):
            xarray_encoding(ds, CODEC, **settings)
