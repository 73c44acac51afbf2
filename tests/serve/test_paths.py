import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.serve.paths import chunk_index, chunk_key, chunk_places, grid_of, key_of

V3 = {
    "zarr_format": 3,
    "shape": [70, 64],
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [32, 32]}},
}
ENCODINGS = {
    "default": ({**V3, "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}}, "c/2/1"),
    "without configuration": ({**V3, "chunk_key_encoding": {"name": "default"}}, "c/2/1"),
    "dots": ({**V3, "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}}}, "c.2.1"),
    "v2 in 3": ({**V3, "chunk_key_encoding": {"name": "v2"}}, "2.1"),
    "format 2": ({"zarr_format": 2, "shape": [70, 64], "chunks": [32, 32]}, "2.1"),
    "slashes": ({"zarr_format": 2, "shape": [70, 64], "chunks": [32, 32], "dimension_separator": "/"}, "2/1"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_keys_of_chunks(encoding):
    document, key = ENCODINGS[encoding]
    assert grid_of(document) == (3, 2)
    assert chunk_key(document, (2, 1)) == key
    assert chunk_index(document, key) == (2, 1)
    for wrong in ("3/0", "c/3/0", "c/0/2", "0.2", "c/00/1", "c/2", "c/2/1/0", "c", "2.1.0", "", "c.2/1", "9" * 30):
        assert chunk_index(document, wrong) is None


@pytest.mark.parametrize(("key", "encoding"), [("c", "default"), ("0", "v2")])
def test_arrays_without_axes_have_one_chunk(key, encoding):
    grid = {"name": "regular", "configuration": {"chunk_shape": []}}
    document = {"zarr_format": 3, "shape": [], "chunk_grid": grid, "chunk_key_encoding": {"name": encoding}}
    assert chunk_key(document, ()) == key
    assert chunk_index(document, key) == ()
    assert chunk_index(document, "1") is None


def test_names_of_arrays_are_numbers_too():
    assert list(chunk_places("a/0/1/2")) == [("a", "0/1/2"), ("a/0", "1/2"), ("a/0/1", "2")]
    assert list(chunk_places("a/0/c/1/2")) == [("a/0", "c/1/2"), ("a/0/c", "1/2"), ("a/0/c/1", "2")]
    assert list(chunk_places("a/zarr.json")) == []


OUTSIDE = [
    b"/..",
    b"/../x",
    b"/a/../../x",
    b"/%2e%2e/x",
    b"/.%2E/x",
    b"/a%2f..%2f..%2fx",
    b"/%2fetc/passwd",
    b"//etc/passwd",
    b"/a//b",
    b"/a\\..\\x",
    b"/a%5c..%5cx",
    b"/a%00",
    b"/a%0ab",
    b"/a%7f",
    b"/./a",
    b"/%ff%fe",
    b"/" + b"a" * 256,
    b"/" + b"a/" * 70,
    b"/" + b"/".join([b"a" * 200] * 20),
    b"/.git/config",
    b"/a/.env",
    b"/.zarray/c",
    b"/%e2%80%ae",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_what_is_no_key(path):
    assert key_of(b"/data" + path, b"/data/") is None


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (b"", ""),
        (b"a/0/c/1/2", "a/0/c/1/2"),
        (b"a/.zarray", "a/.zarray"),
        (b".zmetadata", ".zmetadata"),
        (b"a%20b/%C3%A9/", "a b/\u00e9"),
        (b"%252e%252e", "%2e%2e"),
        (b"...", None),
        (b"a..b", "a..b"),
        (b"OME/METADATA.ome.xml", "OME/METADATA.ome.xml"),
    ],
)
def test_keys(path, key):
    assert key_of(b"/data/" + path, b"/data/") == key


def test_a_prefix_that_is_hidden_in_escapes_is_none():
    assert key_of(b"/data%2fx", b"/data/") is None


@given(st.binary(max_size=60) | st.text("./\\%2e5cf0a ", max_size=40).map(str.encode))
def test_no_key_leaves_the_folder(path):
    key = key_of(b"/" + path, b"/")
    if key is not None:
        names = key.split("/")
        assert key == "" or not {"", ".", ".."} & set(names)
        assert "\\" not in key
        assert key.isprintable()
