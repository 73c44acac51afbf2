"""Compress a store, then in place, and export it, without torch: job.py DIRECTORY (with an original.npy)."""

import importlib.util
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

import tinc_codec
from tinc_codec import TINCCodec, xarray_encoding


def main(folder):
    """Make the stores in a directory, and compare what comes back."""
    assert importlib.util.find_spec("torch") is None, "this environment was to have no torch"
    shutil.rmtree(folder / "job", ignore_errors=True)
    volume = np.load(folder / "original.npy")
    codec, quiet = TINCCodec(max_error=0), {"workers": 2, "progress": False}
    for zarr_format in (2, 3):
        job = folder / "job" / str(zarr_format)
        root = zarr.create_group(job / "raw.zarr", zarr_format=zarr_format, attributes={"multiscales": "none"})
        root.create_array("image", data=volume, chunks=(20, 24, 28), attributes={"unit": "um"})
        root.create_array("x", data=np.arange(9.0))
        shards = {"shards": (40, 48, 28), "chunks": (20, 24, 28)} if zarr_format == 3 else {}
        told = tinc_codec.compress(job / "raw.zarr", job / "small.zarr", codec, **shards, **quiet)
        assert tinc_codec.compress(job / "raw.zarr", job / "small.zarr", codec, **shards, **quiet).done == 0
        tinc_codec.compress(job / "raw.zarr", None, codec, **quiet)
        tinc_codec.export(job / "small.zarr", job / "plain.zarr", **quiet)
        for name in ("raw", "small", "plain"):
            group = zarr.open_group(job / f"{name}.zarr", mode="r")
            assert (group["image"][:] == volume).all(), name
            assert (group["x"][:] == np.arange(9.0)).all(), name
        assert told.ratio > 1.5
    warnings.filterwarnings("ignore", "Consolidated metadata is currently not part")
    given = xr.Dataset({"image": (("z", "y", "x"), np.where(volume > 300, np.nan, volume).astype("f4"))})
    given.to_zarr(folder / "job" / "x.zarr", zarr_format=3, encoding=xarray_encoding(given, codec))
    assert xr.open_zarr(folder / "job" / "x.zarr").identical(given)
    print(f"jobs hold with zarr {zarr.__version__} and xarray {xr.__version__}, without torch")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
