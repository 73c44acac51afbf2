import pytest

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.nodes import consolidated_of, nodes_of, parse_documents

GROUP3 = b'{"zarr_format": 3, "node_type": "group", "attributes": {"a": 1}}'
ARRAY3 = b'{"zarr_format": 3, "node_type": "array", "shape": [2]}'


def nodes(**files):
    documents = parse_documents("store", {key.replace("__", "/"): data for key, data in files.items()})
    return nodes_of("store", documents)


def test_files_describe_nodes_of_either_format():
    read = {"zarr.json": GROUP3, "x/.zarray": b'{"shape": [3]}', "x/.zattrs": b'{"b": 2}', "y/zarr.json": ARRAY3}
    described = nodes_of("store", parse_documents("store", read))
    kinds = [(node.path, node.kind, node.zarr_format, dict(node.attributes)) for node in described.values()]
    assert kinds == [("", "group", 3, {"a": 1}), ("x", "array", 2, {"b": 2}), ("y", "array", 3, {})]
    assert described["x"].key("0.0") == "x/0.0"
    assert described[""].key("zarr.json") == "zarr.json"


def test_attributes_alone_are_no_node():
    assert nodes_of("store", parse_documents("store", {"a/.zattrs": b"{}"})) == {}


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ({"a/zarr.json": b"{"}, "store/a/zarr.json is not JSON"),
        ({"a/zarr.json": b"[]"}, "store/a/zarr.json is not a JSON object"),
        ({"a/zarr.json": b'{"zarr_format": 4}'}, "describes neither an array nor a group"),
        ({"a/zarr.json": b"[" * 50_000}, "store/a/zarr.json is not JSON"),
        (
            {"zarr.json": GROUP3.replace(b'{"a": 1}', b"[1]")},
            "store/zarr.json has attributes that are not a JSON object",
        ),
        (
            {"zarr.json": GROUP3.replace(b'"attributes"', b'"consolidated_metadata": 3, "attributes"')},
            "consolidated_metadata that are not a JSON object",
        ),
        ({"a/.zarray": b"{}", "a/.zgroup": b"{}"}, "store/a is described twice, by"),
        ({"a/.zarray": b"{}", "a/zarr.json": ARRAY3}, "store/a is described twice"),
    ],
)
def test_what_cannot_be_understood_is_named(read, words):
    with pytest.raises(ConfigurationError, match=words):
        nodes_of("store", parse_documents("store", read))


def test_consolidated_metadata_in_both_formats_are_refused():
    both = {"zarr.json": GROUP3, ".zgroup": b"{}", ".zmetadata": b'{"metadata": {"x": {}}}'}
    documents = parse_documents("store", both)
    with pytest.raises(ConfigurationError, match="described in both Zarr formats"):
        consolidated_of(nodes_of("store", documents), documents)
    older = parse_documents("store", {".zgroup": b"{}", ".zmetadata": b'{"metadata": {"x": {}}}'})
    assert consolidated_of(nodes_of("store", older), older) == {"": {"x": {}}}
