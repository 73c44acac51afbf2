"""Nodes of a store in memory."""

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from tinc_codec.errors import ConfigurationError, RequestError
from tinc_codec.serve.nodes import Nodes
from tinc_codec.serve.objects import objects_of

IMAGE = {
    "ome": {
        "version": "0.5",
        "multiscales": [{"axes": [{"name": n} for n in "yx"], "datasets": [{"path": "0"}, {"path": "1"}]}],
    }
}


class Unlisted(MemoryStore):
    """As a web server that gives no listings."""

    supports_listing = False


def filled(store):
    """A group with an image of which level 1 is gone, an image without levels, and an array below a bare folder."""
    root = zarr.create_group(store)
    root.create_group("image", attributes=IMAGE).create_array("0", shape=(4, 4), dtype="u2")
    root.create_group("empty", attributes=IMAGE)
    root.create_array("bare/number", shape=(), dtype="f4")
    store._store_dict.pop("bare/zarr.json", None)
    return store


def nodes_of(store, path=""):
    root = zarr.open(store, path=path, mode="r")
    return Nodes(root, objects_of(store, path, 2**20))


@pytest.fixture(scope="module")
def store():
    return filled(MemoryStore())


def test_all_nodes_are_found_those_of_folders_without_metadata_too(store):
    found = {path: type(node).__name__ for path, node in nodes_of(store).walk()}
    groups, arrays = ["", "image", "empty"], ["image/0", "bare/number"]
    assert found == {**dict.fromkeys(groups, "Group"), **dict.fromkeys(arrays, "Array")}


def test_what_lies_below_the_served_node_is_named_from_there(store):
    nodes = nodes_of(store, "image")
    assert nodes.name == "image"
    assert [path for path, _ in nodes.walk()] == ["", "0"]
    assert nodes.open("0").path == "image/0"


def test_where_nothing_is_listed_metadata_name_what_there_is():
    nodes = nodes_of(filled(Unlisted()), "image")
    assert [path for path, _ in nodes.walk()] == ["", "0"]


def test_a_node_that_cannot_be_opened_hides_no_other():
    store = filled(MemoryStore())
    store._store_dict["image/0/zarr.json"] = zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(b"{")
    nodes = dict(nodes_of(store).walk())
    assert isinstance(nodes["image/0"], RequestError)
    assert isinstance(nodes["bare/number"], zarr.Array)
    with pytest.raises(RequestError, match="JSON") as refused:
        nodes_of(store).open("image/0")
    assert refused.value.status == 500
    assert isinstance(refused.value.__cause__, ConfigurationError)


def test_names_that_lead_out_of_the_store_are_not_followed():
    store = Unlisted()
    attributes = {"multiscales": [{"datasets": [{"path": "../secret"}, {"path": "a/../b"}]}]}
    zarr.create_group(store, path="root", attributes=attributes)
    for path in ("secret", "root/b"):
        zarr.create_array(store, name=path, shape=(2,), dtype="u1")
    store._store_dict["root/../secret/zarr.json"] = store._store_dict["secret/zarr.json"]  # as stores resolve it
    assert [path for path, _ in nodes_of(store, "root").walk()] == ["", "b"]


def test_the_finest_of_an_image_and_an_array_itself(store):
    nodes = nodes_of(store)
    path, array, attributes = nodes.finest("image")
    assert (path, array.path, attributes) == ("image/0", "image/0", IMAGE)
    path, array, attributes = nodes.finest("bare/number")
    assert (path, array.dtype, attributes) == ("bare/number", np.float32, {})


@pytest.mark.parametrize("path", ["", "empty", "nothing", "image/1"])
def test_what_has_no_finest_is_not_there(store, path):
    with pytest.raises(RequestError) as refused:
        nodes_of(store).finest(path)
    assert refused.value.status == 404


def test_metadata_of_a_node_change_with_it():
    store = filled(MemoryStore())
    before = nodes_of(store).documents("image")
    assert [document is not None for document in before].count(True) == 1
    assert nodes_of(store).documents("nothing") == (None,) * len(before)
    zarr.open_group(store, path="image", mode="r+").attrs["a"] = 1
    assert nodes_of(store).documents("image") != before
