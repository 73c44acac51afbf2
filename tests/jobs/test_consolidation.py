"""Consolidated metadata: those of a source are compared with its files, those of a destination are made of them."""

import json

import numpy as np
import pytest
import zarr

import tinc_codec
from tests.jobs.results import BOUND, QUIET, compress
from tinc_codec.hosts.zarr3 import is_compressed
from tinc_codec.jobs.consolidation import check_consolidated, consolidated_documents
from tinc_codec.jobs.inventory import Inventory, take_inventory
from tinc_codec.jobs.nodes import Node

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
    inventory = take_inventory(zarr.open_group(tmp_path / "t.zarr", mode="r").store_path)
    assert set(inventory.consolidated) == {"well"}
    opened = zarr.open_consolidated(tmp_path / "t.zarr", path="well")
    assert np.abs(opened["field/0"][:].astype(int) - volume).max() <= BOUND


GROUP, ARRAY = {"zarr_format": 3, "node_type": "group"}, {"zarr_format": 3, "node_type": "array", "shape": [2]}
NODES = {
    "": Node("", "group", 3, GROUP, {}, ("zarr.json",)),
    "a": Node("a", "group", 3, GROUP, {}, ("zarr.json",)),
    "a/ä": Node("a/ä", "array", 3, ARRAY, {}, ("zarr.json",)),
    "old": Node("old", "group", 2, {"zarr_format": 2}, {"x": 1}, (".zgroup", ".zattrs")),
    "old/0": Node("old/0", "array", 2, {"shape": [3], "zarr_format": 2}, {}, (".zarray",)),
    "old/new": Node("old/new", "array", 3, ARRAY, {}, ("zarr.json",)),
    "plain/0": Node("plain/0", "array", 3, ARRAY, {}, ("zarr.json",)),
}


def test_a_groups_entries_are_those_that_are_reached_through_groups_of_its_format():
    key, document = consolidated_documents("", NODES)
    assert key == "zarr.json"
    assert document["consolidated_metadata"]["metadata"] == {"a": GROUP, "a/ä": ARRAY}
    assert document["node_type"] == "group"
    key, document = consolidated_documents("old", NODES)
    assert key == "old/.zmetadata"
    assert document == {
        "zarr_consolidated_format": 1,
        "metadata": {".zgroup": {"zarr_format": 2}, ".zattrs": {"x": 1}, "0/.zarray": {"shape": [3], "zarr_format": 2}},
    }


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_they_are_those_that_zarr_writes(tmp_path, zarr_format):
    root = zarr.create_group(tmp_path / "g.zarr", zarr_format=zarr_format, attributes={"a": [1, None]})
    root.create_group("x").create_array("0", data=np.ones((4, 4)), chunks=(2, 4), attributes={"ä": 1})
    nodes = take_inventory(root.store_path).nodes
    zarr.consolidate_metadata(tmp_path / "g.zarr")
    key, document = consolidated_documents("", nodes)
    written = json.loads((tmp_path / "g.zarr" / key).read_text())
    ours = document["metadata"] if zarr_format == 2 else document["consolidated_metadata"]["metadata"]
    theirs = written["metadata"] if zarr_format == 2 else written["consolidated_metadata"]["metadata"]
    assert set(ours) == set(theirs)
    inventory = Inventory(nodes, consolidated={"": theirs})
    check_consolidated("store", inventory)


def test_what_stale_metadata_say_otherwise_is_named_and_defaults_are_not(caplog):
    same = {"a": {**GROUP, "attributes": {}}, "a/ä": {**ARRAY, "order": "C"}}
    check_consolidated("store", Inventory(NODES, consolidated={"": same}))
    assert caplog.text == ""
    stale = {"a/ä": {**ARRAY, "shape": [9]}, **{f"gone{n}": ARRAY for n in range(6)}}
    check_consolidated("store", Inventory(NODES, consolidated={"": stale}))
    assert "store say otherwise than the files, which count: a, a/ä, gone0, gone1, gone2, ..." in caplog.text
    caplog.clear()
    check_consolidated("store", Inventory(NODES, consolidated={"old": {".zattrs": {"x": 2}, "0/.zarray": 3}}))
    assert "store/old say otherwise than the files, which count: .zattrs, .zgroup, 0/.zarray" in caplog.text
