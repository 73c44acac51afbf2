"""What a store's files say that it holds."""

import numpy as np
import pytest
import zarr

from tinc_codec.jobs.inventory import take_inventory


@pytest.mark.parametrize("shape", [(), (7,), (5, 6), (4, 5, 6)])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_every_chunk_of_a_store_is_known(tmp_path, shape, zarr_format):
    array = zarr.create_array(
        tmp_path / "g/a", data=np.ones(shape), chunks=tuple(min(2, n) for n in shape), zarr_format=zarr_format
    )
    inventory = take_inventory(array.store_path)
    assert len(inventory.chunks[""]) == array.nchunks_initialized == array.nchunks
    assert inventory.foreign == ()
