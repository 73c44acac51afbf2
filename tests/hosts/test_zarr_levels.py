"""Coarser levels as Zarr arrays: read-only, made of the stored chunks."""

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from tests.hosts.pyramids import LAYOUTS, LOSSLESS, create
from tinc_codec import ConfigurationError, UnsupportedDataError, open_multiscale, zarr_kwargs
from tinc_codec.hosts.zarr_levels import LevelArray, LevelCodec, check_level, halvings


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_level_cannot_be_written(ramp, layout):
    array = create(zarr.storage.MemoryStore(), ramp, (32, 32, 32), **LAYOUTS[layout])
    coarse = LevelArray(array, (1, 1, 1))
    with pytest.raises((UnsupportedDataError, ValueError)):
        coarse[:] = 3
    with pytest.raises((UnsupportedDataError, ValueError)):
        coarse[:] = 0  # chunks of the fill value are not encoded but removed
    assert (array[:] == ramp).all()


def test_a_missing_chunk_is_the_fill_value_at_every_level(ramp):
    array = zarr.create_array(
        zarr.storage.MemoryStore(), shape=(64, 64), chunks=(32, 32), dtype="u2", fill_value=7, **zarr_kwargs(LOSSLESS)
    )
    array[:32, :32] = ramp[:32, :32, 0]
    coarse = open_multiscale(array, levels=3)[2].compute()
    assert (coarse[8:] == 7).all()
    assert (coarse[:8, :8] != 7).any()


@given(n=st.integers(0, 4000), chunk=st.integers(1, 600))
def test_an_axis_is_halved_as_long_as_chunks_are_whole_cells(n, chunk):
    k = halvings(n, chunk)
    if n > chunk:
        assert chunk % 2**k == 0
        assert chunk % 2 ** (k + 1)
    else:
        assert 2**k >= n
        assert k == 0 or 2 ** (k - 1) < n


def test_levels_of_other_codecs_and_of_cut_cells_are_refused_by_name():
    plain = zarr.create_array(zarr.storage.MemoryStore(), shape=(8, 8), chunks=(4, 4), dtype="u2")
    with pytest.raises(UnsupportedDataError, match="has no coarser levels: its chunks must be TINC streams"):
        check_level(plain, (1, 1))
    array = create(zarr.storage.MemoryStore(), np.zeros((9, 8), "u2"), (3, 8))
    check_level(array, (0, 3))
    with pytest.raises(UnsupportedDataError, match="axis 0 has no level 1: its chunks of 3 voxels are not cells of 2"):
        check_level(array, (1, 0))
    with pytest.raises(ConfigurationError):
        LevelArray(array, (0,))


def test_the_codec_of_a_level_decodes_it_and_encodes_nothing():
    volume = np.arange(64, dtype="u2").reshape(8, 8)
    codec = LevelCodec((1, 2))
    assert codec.decode(LOSSLESS.encode(volume)).shape == (4, 2)
    with pytest.raises(UnsupportedDataError):
        codec.encode(volume)
