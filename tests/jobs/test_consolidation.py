"""Consolidated metadata: those of a source are compared with its files, those of a destination are made of them."""

import numpy as np
import pytest
import zarr

import tinc_codec
from tests.jobs.results import BOUND, QUIET, compress
from tinc_codec.hosts.zarr3 import is_compressed

pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")


def test_consolidated_metadata_tell_of_the_new_arrays(tmp_path, volume, bounded, client):
    for zarr_format in (2, 3):
        root = zarr.create_group(tmp_path / f"{zarr_format}.zarr", zarr_format=zarr_format)
        root.create_array("image", data=volume, chunks=(20, 50, 60))
        zarr.consolidate_metadata(tmp_path / f"{zarr_format}.zarr")
        packed = tmp_path / f"made{zarr_format}.zarr"
        tinc_codec.compress(tmp_path / f"{zarr_format}.zarr", packed, bounded, client=client, **QUIET)
        group = zarr.open_consolidated(packed, mode="r")
        assert is_compressed(group["image"].metadata.to_dict())


def test_files_count_where_consolidated_metadata_are_stale(older, volume, client, caplog, tmp_path):
    zarr.consolidate_metadata(older)
    group = zarr.open_group(older, mode="a", use_consolidated=False)
    group["image"].append(volume[:20])
    group["image"].attrs["frames"] = 60
    group.create_array("later", data=volume, chunks=(20, 25, 30))
    compress(older, None, client)
    assert "say otherwise than the files" in caplog.text
    assert "later/.zarray" in caplog.text
    got = zarr.open_group(older, mode="r")  # by consolidated metadata, which are right now
    assert got["image"].shape == (60, 50, 60)
    assert got["image"].attrs["frames"] == 60
    assert np.abs(got["later"][:].astype(int) - volume).max() <= BOUND
    caplog.clear()
    compress(older, tmp_path / "t.zarr", client)
    assert "otherwise" not in caplog.text


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_only_what_was_consolidated_is(tmp_path, volume, client, zarr_format):
    root = zarr.create_group(tmp_path / "s.zarr", zarr_format=zarr_format)
    root.create_group("well/field").create_array("0", data=volume, chunks=(20, 25, 30))
    root.create_group("other").create_array("0", data=volume, chunks=(20, 25, 30))
    zarr.consolidate_metadata(tmp_path / "s.zarr", path="well")
    compress(tmp_path / "s.zarr", tmp_path / "t.zarr", client)
    inventory = tinc_codec.jobs.inventory.take_inventory(zarr.open_group(tmp_path / "t.zarr", mode="r").store_path)
    assert set(inventory.consolidated) == {"well"}
    opened = zarr.open_consolidated(tmp_path / "t.zarr", path="well")
    assert np.abs(opened["field/0"][:].astype(int) - volume).max() <= BOUND
