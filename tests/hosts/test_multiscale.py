"""Pyramids that are not stored."""

import pickle

import numpy as np
import pytest
import zarr

from tests.hosts.pyramids import LAYOUTS, create
from tinc_codec import (
    ConfigurationError,
    UnsupportedDataError,
    open_multiscale,
)
from tinc_codec.hosts.zarr_levels import LevelArray


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
