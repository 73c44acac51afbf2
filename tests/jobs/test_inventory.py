"""What a store's files say that it holds."""

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore, MemoryStore, StorePath

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs import inventory as module
from tinc_codec.jobs.inventory import take_inventory
from tinc_codec.jobs.objects import write_objects


@pytest.mark.parametrize("shape", [(), (7,), (5, 6), (4, 5, 6)])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_every_chunk_of_a_store_is_known(tmp_path, shape, zarr_format):
    array = zarr.create_array(
        tmp_path / "g/a", data=np.ones(shape), chunks=tuple(min(2, n) for n in shape), zarr_format=zarr_format
    )
    inventory = take_inventory(array.store_path)
    assert len(inventory.chunks[""]) == array.nchunks_initialized == array.nchunks
    assert inventory.foreign == ()


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("local", [True, False])
def test_every_object_is_a_nodes_or_nobodys(tmp_path, zarr_format, local):
    place = StorePath(LocalStore(tmp_path / "s.zarr") if local else MemoryStore(), "" if local else "x")
    group = zarr.create_group(place, zarr_format=zarr_format, attributes={"a": 1})
    group.create_array("image", data=np.ones((4, 4), "u1"), chunks=(2, 4))
    inner = group.create_group("ä")
    inner.create_array("0", data=np.ones(3), chunks=(3,))
    outside = "image/c/9/9" if zarr_format == 3 else "image/9.9"
    write_objects(place, {"notes.txt": b"", "image/thumb.png": b"", "plain/folder/file": b"", outside: b"x"})
    inventory = take_inventory(place)
    assert set(inventory.nodes) == {"", "image", "ä", "ä/0"}
    assert (set(inventory.groups), set(inventory.arrays)) == ({"", "ä"}, {"image", "ä/0"})
    assert {path: len(keys) for path, keys in inventory.chunks.items()} == {"image": 2, "ä/0": 1}
    assert inventory.outside == {"image": frozenset({outside.removeprefix("image/")})}
    assert inventory.foreign == ("image/thumb.png", "notes.txt", "plain/folder/file")
    assert inventory.listed
    assert inventory.nodes[""].attributes == {"a": 1}


def test_a_listing_that_comes_late_is_refused(monkeypatch):
    place = StorePath(MemoryStore())
    attributes = {"ome": {"multiscales": [{"datasets": [{"path": "0"}]}]}}
    zarr.create_group(place, attributes=attributes).create_array("0", data=np.ones(3))
    monkeypatch.setattr(module, "folders", lambda _: [("", ["zarr.json"])])
    with pytest.raises(ConfigurationError, match=r"^0/zarr.json is in memory.* the listing comes late"):
        take_inventory(place)


def test_what_is_named_outside_of_a_store_is_not_looked_for():
    place = StorePath(MemoryStore())
    zarr.create_group(place, attributes={"ome": {"series": ["0", "../../x"], "labels": ["/y", "..", ""]}})
    assert set(take_inventory(place).nodes) == {""}
