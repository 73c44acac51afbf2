"""What lies around a source: folders up to the outermost group, and attributes beside it, whatever they hold."""

import json

import pytest
import zarr
from zarr.storage import LocalStore, MemoryStore, StorePath

from tinc_codec.hosts.images import Folder
from tinc_codec.jobs.surroundings import above, beside, folders_above, name_of


def write(folder, name, document):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(document if isinstance(document, str) else json.dumps(document))


def group(attributes):
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


def test_folders_are_named_innermost_first_up_to_the_outermost_group(tmp_path):
    write(tmp_path / "i.zarr", "zarr.json", group({"a": 1}))
    write(tmp_path / "i.zarr/labels/ä", ".zattrs", {"image-label": {}})
    place = StorePath(LocalStore(tmp_path / "i.zarr/labels/ä/0"))
    expected = (Folder("ä", {"image-label": {}}), Folder("labels", {}), Folder("i.zarr", {"a": 1}))
    assert above(place) == folders_above(tmp_path / "i.zarr/labels/ä/0") == expected
    assert above(StorePath(LocalStore(tmp_path / "i.zarr"))) == ()
    assert name_of(place) == "0"


def test_within_a_store_paths_are_followed_too():
    store = MemoryStore()
    zarr.create_group(store, attributes={"a": 1}).create_group("x/y", attributes={"b": 2})
    assert above(StorePath(store, "x/y/0")) == (Folder("y", {"b": 2}), Folder("x", {}), Folder("", {"a": 1}))
    assert name_of(StorePath(store, "x/y/0")) == "0"
    assert list(beside(StorePath(store, "x/y"))) == []


@pytest.mark.parametrize("junk", ["{", "[1]", "3", "null", '"text"', '{"attributes": [1]}', "\x00", "[" * 50_000])
def test_documents_above_and_beside_a_source_may_hold_anything(tmp_path, junk):
    write(tmp_path / "g.zarr", "zarr.json", junk)
    write(tmp_path / "g.zarr/other", "zarr.json", junk)
    write(tmp_path / "g.zarr/more", ".zattrs", junk)
    place = StorePath(LocalStore(tmp_path / "g.zarr/a"))
    assert above(place) == (Folder("g.zarr", {}),)
    seen = list(beside(place))
    assert len(seen) == 2
    assert all(attributes == {} or "attributes" in attributes for attributes in seen)


def test_neighbours_tell_their_attributes_where_the_folder_is_a_group(tmp_path):
    write(tmp_path / "g.zarr/z", "zarr.json", group({"bounds": "edges"}))
    write(tmp_path / "g.zarr/y", ".zattrs", {"c": 1})
    place = StorePath(LocalStore(tmp_path / "g.zarr/edges"))
    assert list(beside(place)) == []
    write(tmp_path / "g.zarr", ".zgroup", {"zarr_format": 2})
    assert sorted(beside(place), key=str) == [{"bounds": "edges"}, {"c": 1}]
