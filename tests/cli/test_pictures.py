import numpy as np
import pytest
import zarr

from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.cli.pictures import draw, middle, plane_of_store, plane_of_stream
from tinc_codec.decoding.inspect import inspect
from tinc_codec.hosts.stored import stored_chunks
from tinc_codec.phantom import light_sheet

VOLUME = light_sheet((12, 40, 48))
CODEC = TINCCodec(max_error=20, effort=1)


def a_store(folder, kind):
    """The volume in chunks of 8 x 16 x 16, at the top or in a group, in shards or not, in either format."""
    settings = {"data": VOLUME, "chunks": (8, 16, 16)}
    if kind == "group":
        arguments = zarr_kwargs(CODEC)
        del arguments["zarr_format"]
        group = zarr.open_group(folder, mode="w")
        group.create_array("small", data=VOLUME[:4], **arguments)
        group.create_array("a/b", **settings, **arguments)
    elif kind == "shards":
        zarr.create_array(folder, **settings, shards=(16, 32, 48), **zarr_kwargs(CODEC))
    else:
        zarr.create_array(folder, **settings, **zarr_kwargs(CODEC, zarr_format=int(kind)))
    return folder


@pytest.mark.parametrize("kind", ["2", "3", "group", "shards"])
def test_the_plane_of_a_store_and_the_chunks_that_it_cuts(tmp_path, kind):
    store = a_store(tmp_path / "a.zarr", kind)
    chunks = dict(stored_chunks(store))
    plane = plane_of_store(store, [(key, inspect(data)) for key, data in chunks.items()])
    assert np.abs(plane.samples.astype(int) - VOLUME[6]).max() <= 20
    assert plane.chunk == (16, 16)
    assert set(plane.infos) == {(y, x) for y in range(3) for x in range(3)}
    for (y, x), info in plane.infos.items():
        part = VOLUME[:8, 16 * y : 16 * y + 16, 16 * x : 16 * x + 16]
        assert (info.quality.low, info.quality.high) == (part.min(), part.max())
    draw(plane, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("shape", [(), (50,), (20, 30), (5, 20, 30), (2, 3, 20, 30)])
def test_the_plane_of_a_stream_of_any_number_of_axes(tmp_path, shape):
    volume = np.random.default_rng(0).integers(0, 99, shape).astype("u2")
    stream = TINCCodec(max_error=0).encode(volume)
    plane = plane_of_stream("a", stream, inspect(stream))
    assert (plane.samples == volume[middle(shape)]).all()
    assert plane.samples.ndim == 2
    draw(plane, tmp_path / "a.png")


def test_planes_without_a_finite_number_are_drawn(tmp_path):
    stream = TINCCodec(max_error=0).encode(np.full((4, 9, 9), np.nan, "f4"))
    draw(plane_of_stream("a", stream, inspect(stream)), tmp_path / "a.png")
