import numpy as np
import pytest
import zarr

from tests.hosts.pyramids import LOSSLESS
from tinc_codec import zarr_kwargs
from tinc_codec.errors import ConfigurationError, UnsupportedDataError
from tinc_codec.hosts.pyramid import SMALL, derive, finest_of

IMAGE = {
    "ome": {"version": "0.5", "multiscales": [{"axes": [{"name": n} for n in "cyx"], "datasets": [{"path": "0"}]}]}
}


def empty(shape, chunks, names=None, store=None, path=None):
    """An array of which no chunk is stored: levels are derived from its document alone."""
    settings = {"dtype": "u2", "dimension_names": names, **zarr_kwargs(LOSSLESS)}
    place = zarr.storage.MemoryStore() if store is None else store
    return zarr.create_array(place, name=path, shape=shape, chunks=chunks, **settings)


@pytest.mark.parametrize(("edge", "levels"), [(SMALL, 1), (SMALL + 1, 2), (2 * SMALL, 2), (2 * SMALL + 1, 3)])
def test_levels_end_where_no_axis_is_large(edge, levels):
    pyramid = derive(empty((8, 8, edge), (8, 8, 32)), {})
    assert [array.shape[2] for array in pyramid.arrays] == [-(-edge // 2**k) for k in range(levels)]


def test_an_axis_is_halved_as_often_as_its_chunks_are():
    pyramid = derive(empty((2, 64, 64), (2, 16, 4)), {}, levels=20)
    assert pyramid.factors == [(1, 1, 1), (2, 2, 2), *((2, 2**k, 4) for k in (2, 3, 4))]
    assert [array.shape for array in pyramid.arrays] == [(2, 64, 64), (1, 32, 32), (1, 16, 16), (1, 8, 16), (1, 4, 16)]


@pytest.mark.parametrize(
    ("names", "axes", "factor"),
    [
        (None, None, (1, 2, 2, 2)),
        (("w", "z", "y", "x"), None, (1, 2, 2, 2)),
        (("t", "c", "y", "x"), None, (1, 1, 2, 2)),
        (("z", "y", "x", "c"), None, (2, 2, 2, 1)),
        (("t", "z", "y", "x"), ["t"], (2, 1, 1, 1)),
        (("t", "z", "y", "x"), [-1, "y", 2], (1, 1, 2, 2)),
        (None, [], (1, 1, 1, 1)),
    ],
)
def test_which_axes_are_halved(names, axes, factor):
    pyramid = derive(empty((32,) * 4, (32,) * 4, names), {}, levels=2, axes=axes)
    assert pyramid.factors == list(dict.fromkeys([(1, 1, 1, 1), factor]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"levels": 0}, "levels=0 must be a whole number of at least 1"),
        ({"levels": True}, "levels=True must"),
        ({"levels": 2.0}, "levels=2.0 must"),
        ({"axes": [3]}, "axis 3 is not one of"),
        ({"axes": ["q"]}, "axis 'q' is not one of"),
    ],
)
def test_what_there_is_no_pyramid_of(wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        derive(empty((32,) * 3, (32,) * 3), {}, **wrong)


def test_another_codec_has_no_levels():
    plain = zarr.create_array(zarr.storage.MemoryStore(), shape=(8, 8), dtype="u2")
    with pytest.raises(UnsupportedDataError, match="must be TINC streams"):
        derive(plain, {})


def test_the_finest_of_an_array_of_an_image_and_of_what_is_none():
    store = zarr.storage.MemoryStore()
    image = zarr.create_group(store, attributes=IMAGE)
    with pytest.raises(ConfigurationError, match="no OME-Zarr image: give one of its arrays"):
        finest_of(image)
    array = empty((2, 8, 8), (1, 8, 8), store=store, path="0")
    assert finest_of(array) == (array, {})
    finest, attributes = finest_of(image)
    assert (finest.path, attributes) == ("0", IMAGE)
    assert derive(finest, attributes, levels=2).factors[1] == (1, 2, 2)
    with pytest.raises(ConfigurationError, match="no OME-Zarr image"):
        finest_of(zarr.create_group(zarr.storage.MemoryStore()))


def test_a_pyramid_is_an_image_whose_levels_are_its_own():
    array = empty((70, 66), (64, 64), ("y", "x"))
    array[:] = np.arange(70 * 66, dtype="u2").reshape(70, 66)
    pyramid = derive(array, {})
    image = zarr.open_group(pyramid.view(), mode="r")
    (described,) = image.attrs["ome"]["multiscales"]
    assert [axis["name"] for axis in described["axes"]] == ["y", "x"]
    assert [dataset["path"] for dataset in described["datasets"]] == ["0", "1"]
    assert (image["0"][:] == array[:]).all()
    assert (image["1"][:] == pyramid.arrays[1][:]).all()
