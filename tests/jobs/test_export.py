"""Readers that do not know TINC get what TINC's own readers get."""

import math

import numpy as np
import pytest
import zarr

from tests.fixtures import write_ome
from tests.jobs.results import compress
from tinc_codec import ConfigurationError, export, export_tiff
from tinc_codec.hosts.zarr3 import is_compressed


@pytest.fixture(scope="module")
def packed(tmp_path_factory, volume, client):
    """An image that is compressed, which nobody here writes to."""
    folder = tmp_path_factory.mktemp("packed")
    image = write_ome(folder / "image.zarr", volume, "0.5")
    compress(image, folder / "packed.zarr", client)
    return folder / "packed.zarr"


@pytest.mark.parametrize("codec", ["zstd", "blosc", "gzip", "none", {"compressors": None}])
def test_plain_zarr(tmp_path, packed, client, codec):
    report = export(packed, tmp_path / "plain.zarr", codec, client=client, progress=False)
    before, after = (zarr.open_group(p, mode="r") for p in (packed, tmp_path / "plain.zarr"))
    assert dict(after.attrs) == dict(before.attrs)
    for path in ("0", "1", "2", "labels/cells/0"):
        assert (after[path][:] == before[path][:]).all()
        assert not is_compressed(after[path].metadata.to_dict())
        assert after[path].chunks == before[path].chunks
    assert sum(array.verified for array in report.arrays) == report.plan.tasks
    assert report.plan.target == "plain Zarr"
    assert {array.path: array.done.partition(":")[0] for array in report.plan.arrays} == {
        "0": "decoded",
        "1": "decoded",
        "2": "copied",
        "labels/cells/0": "copied",
    }


def test_another_grid_and_format(tmp_path, packed, client):
    grid = {"chunks": (8, 50, 60), "zarr_format": 2}
    export(packed / "0", tmp_path / "plain.zarr", client=client, progress=False, **grid)
    array = zarr.open_array(tmp_path / "plain.zarr", mode="r")
    assert (array.chunks, array.metadata.zarr_format) == ((8, 50, 60), 2)
    assert (array[:] == zarr.open_group(packed, mode="r")["0"][:]).all()
    again = export(tmp_path / "plain.zarr", tmp_path / "again.zarr", client=client, progress=False)
    assert again.plan.arrays[0].done == "stored anew: not compressed by TINC"
    with pytest.raises(ConfigurationError, match="known are zstd"):
        export(packed, tmp_path / "x.zarr", "tinc", client=client)


def test_ome_tiff(tmp_path, packed):
    tifffile = pytest.importorskip("tifffile")
    planes = []
    report = export_tiff(packed / "0", tmp_path / "a.ome.tif", progress=lambda *counts: planes.append(counts))
    shape = zarr.open_group(packed, mode="r")["0"].shape
    assert planes == [(done, shape[0]) for done in range(1, shape[0] + 1)]
    assert (report.shape, report.axes, report.raw_bytes) == (shape, "ZYX", 2 * math.prod(shape))
    assert report.stored_bytes == (tmp_path / "a.ome.tif").stat().st_size
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        assert tiff.is_ome
        assert tiff.series[0].axes == "ZYX"
        assert (tiff.asarray() == zarr.open_group(packed, mode="r")["0"][:]).all()
    with pytest.raises(ConfigurationError, match="exists"):
        export_tiff(packed / "0", tmp_path / "a.ome.tif")
    with pytest.raises(ConfigurationError, match="name one of 0, 1, 2"):
        export_tiff(packed, tmp_path / "b.ome.tif")
    with pytest.raises(ConfigurationError, match="do not fit shape"):
        export_tiff(packed / "0", tmp_path / "b.ome.tif", axes="CZYX")


@pytest.mark.parametrize("shape", [(9, 11), (2, 3, 4, 9, 11), (3, 5, 9, 11)])
def test_ome_tiff_of_any_rank(tmp_path, shape):
    tifffile = pytest.importorskip("tifffile")
    x = np.random.default_rng(0).normal(size=shape).astype("f4")
    zarr.create_array(tmp_path / "a.zarr", data=x, chunks=tuple(min(n, 2) for n in shape))
    export_tiff(tmp_path / "a.zarr", tmp_path / "a.ome.tif")
    assert (tifffile.imread(tmp_path / "a.ome.tif") == x).all()
