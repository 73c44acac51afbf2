"""Grids that are asked for, and those that arrays have or get by themselves."""

import numpy as np
import pytest
import zarr

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.grids import Grid, check_grid, own_grid
from tinc_codec.jobs.source_tree import open_source


@pytest.mark.parametrize("edges", [64, "64", (0, 8, 8), (8, 8.0, 8), (True, 8, 8), (8, 8, None)])
@pytest.mark.parametrize("name", ["chunks", "shards"])
def test_edges_are_whole_numbers_from_1(name, edges):
    with pytest.raises(ConfigurationError, match=f"{name}="):
        Grid(**{name: edges})


def test_numpys_numbers_are_whole_numbers_too():
    assert Grid(chunks=[np.int64(8), np.uint8(4)]).chunks == (8, 4)


@pytest.mark.parametrize("zarr_format", [1, 4, "3", True])
def test_zarr_formats_that_are_none(zarr_format):
    with pytest.raises(ConfigurationError, match="must be 2 or 3"):
        Grid(zarr_format=zarr_format)


def member(source):
    (one,) = open_source(source).members
    return one


def test_an_array_keeps_its_own_grid_and_format_2_has_no_shards(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(64, 64), chunks=(8, 16), shards=(16, 32), dtype="u2")
    one = member(tmp_path / "a.zarr")
    assert own_grid(one, 3) == ((8, 16), (16, 32))
    assert own_grid(one, 2) == ((8, 16), None)


@pytest.mark.parametrize(("shape", "chunks"), [((300, 200, 100), (128, 128, 100)), ((9000,), (9000,))])
def test_what_has_none_gets_cubes_of_two_million_voxels(shape, chunks):
    assert own_grid(member(np.zeros(shape, "u1")), 3) == (chunks, None)


@pytest.mark.parametrize(
    ("chunks", "shards", "zarr_format", "words"),
    [
        ((8, 8), None, 3, "do not fit array"),
        ((8, 8, 8), (8, 8), 3, "shards=.* do not fit"),
        ((8, 8, 8), (16, 16, 16), 2, "Zarr format 2 has none"),
        ((8, 8, 8), (12, 8, 8), 3, "not whole chunks"),
    ],
)
def test_grids_that_do_not_fit(chunks, shards, zarr_format, words):
    one = member(np.zeros((20, 20, 20), "u1"))
    with pytest.raises(ConfigurationError, match=words):
        check_grid(one, chunks, shards, zarr_format)
