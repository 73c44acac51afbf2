"""zarrita, which most viewers in browsers read Zarr with, and which has no codec of ours."""

import base64

import numpy as np
import pytest
import zarr

from tests.serve import javascript
from tests.serve.serving import serving
from tinc_codec import TINCCodec, zarr_kwargs

javascript.need("zarrita")

V = np.random.default_rng(0).normal(100, 10, (20, 24, 28))
CODEC = TINCCodec(max_error=4, effort=1)
TWO, THREE = zarr_kwargs(CODEC, zarr_format=2), zarr_kwargs(CODEC)
LAYOUTS = {
    "two": TWO,
    "two-f": {**TWO, "order": "F"},
    "two-big": {**TWO, "dtype": ">u2"},
    "two-slashes": {**TWO, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "three": THREE,
    "three-floats": {**THREE, "dtype": "f4", "fill_value": np.nan},
    "three-bytes": {**THREE, "dtype": "u1"},
    "three-shards": {**THREE, "shards": (16, 24, 28)},
}


@pytest.mark.parametrize("codec", ["blosc", "raw"])
def test_zarrita_reads_every_layout_and_level(tmp_path, codec):
    for name, layout in LAYOUTS.items():
        settings = {"dtype": "u2", "fill_value": 7, "chunks": (8, 12, 28), **layout}
        array = zarr.create_array(tmp_path / "s" / name, shape=V.shape, **settings)
        array[:16, :12] = V[:16, :12]
    zarr.create_group(tmp_path / "s")
    with serving(tmp_path / "s", codec) as url:
        urls = [f"{url}/data.zarr/{name}" for name in LAYOUTS]
        *arrays, level = javascript.run("read.mjs", *urls, f"{url}/levels/three/image.zarr/0")
    for name, read in zip([*LAYOUTS, "three"], [*arrays, level], strict=True):
        stored = zarr.open_array(tmp_path / "s" / name, mode="r")
        samples = np.frombuffer(base64.b64decode(read["samples"]), stored.dtype.newbyteorder("="))
        strides = [stride * samples.itemsize for stride in read["stride"]]
        got = np.lib.stride_tricks.as_strided(samples, stored.shape, strides)
        assert read["chunks"] == [8, 12, 28]
        assert np.array_equal(got, stored[:], equal_nan=True), name
