import json

import pytest

from tinc_codec.jobs.documents import as_json, group_documents, new_group, same
from tinc_codec.jobs.nodes import nodes_of, parse_documents


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_new_group_is_one_of_its_format(zarr_format):
    documents = new_group("a/b", zarr_format, {"x": [1, 2]})
    node = nodes_of("store", parse_documents("store", documents))["a/b"]
    assert (node.kind, node.zarr_format, node.attributes) == ("group", zarr_format, {"x": [1, 2]})


@pytest.mark.parametrize("before", [2, 3])
@pytest.mark.parametrize("after", [None, 2, 3])
def test_groups_keep_their_bytes_or_are_written_in_the_other_format(before, after):
    read = new_group("", before, {"name": "é"})
    nodes = nodes_of("store", parse_documents("store", read))
    written = group_documents(nodes, after, read)
    if after in (None, before):
        assert written == read
    else:
        node = nodes_of("store", parse_documents("store", written))[""]
        assert (node.zarr_format, node.attributes) == (after, {"name": "é"})


def test_consolidated_metadata_do_not_come_along():
    group = {"zarr_format": 3, "node_type": "group", "attributes": {}, "consolidated_metadata": {"metadata": {}}}
    read = {"zarr.json": as_json(group)}
    written = group_documents(nodes_of("store", parse_documents("store", read)), None, read)
    assert "consolidated_metadata" not in json.loads(written["zarr.json"])
    assert same(read["zarr.json"], written["zarr.json"])


def test_the_same_is_what_says_the_same():
    assert same(b'{"a": 1,  "b": 2}', b'{"b": 2, "a": 1}')
    assert not same(None, b"{}")
    assert not same(b'{"a": 1}', b'{"a": 2}')
    for junk in (b"{", b"[1]", b"3", b"[" * 50_000, b"\xff"):
        assert not same(junk, b"{}")
