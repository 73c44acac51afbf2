"""A source's arrays, wherever they are, and what of their samples must come back."""

import base64
import struct

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from tinc_codec import ConfigurationError, TINCCodec, zarr_kwargs
from tinc_codec.jobs.nodes import Node
from tinc_codec.jobs.objects import directory_of
from tinc_codec.jobs.source_tree import ALREADY, UnreadableError, open_source, opened


def test_arrays_are_found_at_any_depth_and_those_of_tinc_are_said_to_be(tmp_path):
    root = zarr.create_group(tmp_path / "ä.zarr", attributes={"a": 1})
    root.create_group("x/y").create_array("0", data=np.ones((4, 4)))
    settings = {k: v for k, v in zarr_kwargs(TINCCodec(max_error=0)).items() if k != "zarr_format"}
    root.create_array("tinc", shape=(4, 4), chunks=(4, 4), dtype="u2", **settings)
    source = open_source(tmp_path / "ä.zarr")
    assert {member.path: member.exact for member in source.members} == {"x/y/0": None, "tinc": ALREADY}
    assert (source.zarr_format, source.folder, source.above, source.beside) == (3, "ä.zarr", (), ())
    assert source.directory == directory_of(source.place) == tmp_path / "ä.zarr"
    assert source.groups[""] == {"a": 1}
    assert "x/y" in source.groups


def test_an_array_that_is_open_is_its_own_place(tmp_path):
    array = zarr.create_group(tmp_path / "a.zarr").create_array("0", data=np.ones((4, 4)))
    source = open_source(array)
    assert [member.path for member in source.members] == [""]
    assert [folder.name for folder in source.above] == ["a.zarr"]


MISSING = [
    ({"_FillValue": -1, "missing_value": [3, 4.5]}, [-1, 3, 4.5]),
    ({"_FillValue": base64.b64encode(struct.pack("<d", 2.5)).decode()}, [2.5]),
    ({"_FillValue": "AAAA"}, []),
    ({"_FillValue": "no base64"}, []),
    ({"_FillValue": "µ" * 12}, []),
    ({"_FillValue": True, "missing_value": None}, []),
    ({"_FillValue": {"a": 1}}, []),
    ({}, []),
]


@pytest.mark.parametrize(("attributes", "missing"), MISSING)
def test_values_that_stand_for_missing_ones(tmp_path, attributes, missing):
    zarr.create_array(tmp_path / "a.zarr", data=np.ones((4, 4)), attributes=attributes)
    (member,) = open_source(tmp_path / "a.zarr").members
    assert list(member.missing) == missing


@pytest.mark.parametrize(("dtype", "fill", "missing"), [("f4", -9.0, (-9.0,)), ("u1", 0, (0,)), ("bool", True, ())])
def test_xarray_keeps_the_missing_value_as_fill_value_in_format_2(tmp_path, dtype, fill, missing):
    names = {"_ARRAY_DIMENSIONS": ["y", "x"]}
    settings = {"zarr_format": 2, "fill_value": fill, "shape": (4, 4), "dtype": dtype}
    for name, attributes in (("a.zarr", names), ("b.zarr", {})):
        zarr.create_array(tmp_path / name, attributes=attributes, **settings)
        (member,) = open_source(tmp_path / name).members
        assert member.missing == (missing if attributes else ())


def test_what_is_no_source_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match=r"source .*empty' holds no Zarr array or group"):
        open_source(tmp_path / "empty")
    with pytest.raises(ConfigurationError, match="in the memory of this process, which workers cannot see"):
        open_source(MemoryStore())
    with pytest.raises(ConfigurationError, match="the source is a int: give"):
        open_source(7)


def test_objects_named_like_chunks_outside_of_the_grid_are_refused(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=np.ones((4, 4)), chunks=(2, 4))
    (tmp_path / "a.zarr/c/7").mkdir()
    (tmp_path / "a.zarr/c/7/0").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match=r"array '/' of .* has 1 objects .*c/7/0 among them: mend its shape"):
        open_source(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"zarr_format": 2, "shape": [4], "chunks": [0]}, "no regular grid"),
        ({"zarr_format": 2, "shape": [4], "chunks": [2], "dtype": "<u2"}, "cannot be opened"),
        ({"zarr_format": 3, "node_type": "array"}, "no regular grid"),
    ],
)
def test_an_array_that_cannot_be_opened_says_why(tmp_path, document, reason):
    array = zarr.create_array(tmp_path / "a.zarr", data=np.ones(4))
    node = Node("", "array", document["zarr_format"], document, {}, ("zarr.json",))
    with pytest.raises(UnreadableError, match=reason):
        opened(array.store_path, node)
