"""Coarser levels as Zarr arrays: read-only, made of the stored chunks."""

import pytest
import zarr

from tests.hosts.pyramids import LAYOUTS, LOSSLESS, create
from tinc_codec import (
    UnsupportedDataError,
    open_multiscale,
    zarr_kwargs,
)
from tinc_codec.hosts.zarr_levels import LevelArray


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
