"""A source is compared with what it was, and what is different is named."""

import os

import numpy as np
import pytest
import zarr

from tinc_codec.errors import SourceError
from tinc_codec.jobs.snapshot import check_unchanged, difference, take_snapshot
from tinc_codec.jobs.source_tree import open_source


@pytest.fixture
def group(tmp_path):
    root = zarr.create_group(tmp_path / "g.zarr", attributes={"a": 1})
    root.create_group("inner").create_array("0", data=np.ones((8, 8), "u2"), chunks=(4, 4))
    root.create_array("1", data=np.ones((8, 8), "u2"), chunks=(8, 8))
    return tmp_path / "g.zarr"


def other_fill_value(document):
    text = document.read_text()
    assert '"fill_value": 0' in text
    document.write_text(text.replace('"fill_value": 0', '"fill_value": 3'))


CHANGES = {
    "inner/0 has 3 chunks, and had 4": lambda g: (g / "inner" / "0" / "c" / "0" / "0").unlink(),
    "inner/0 has other chunks": lambda g: (g / "inner" / "0" / "c" / "0" / "0").rename(
        g / "inner" / "0" / "c" / "0" / "1"
    ),
    "files of it were written to": lambda g: os.utime(g / "1" / "c" / "0" / "0", (1, 1)),
    "2 is new": lambda g: zarr.open_group(g).create_array("2", shape=(4,), dtype="u1"),
    "1 is not there any more": lambda g: (g / "1" / "zarr.json").unlink(),
    "1 has other metadata": lambda g: other_fill_value(g / "1" / "zarr.json"),
    "cannot be looked at again": lambda g: (g / "zarr.json").write_text("{"),
}


@pytest.mark.parametrize("words", sorted(CHANGES))
def test_each_change_is_named(group, words):
    source = open_source(group)
    before = take_snapshot(source)
    check_unchanged(source, before)
    if words == "inner/0 has other chunks":
        (group / "inner" / "0" / "c" / "0" / "1").unlink()
        source = open_source(group)
        before = take_snapshot(source)
    CHANGES[words](group)
    with pytest.raises(SourceError, match=words):
        check_unchanged(source, before)


def test_the_same_source_is_the_same_in_another_run(group):
    assert take_snapshot(open_source(group)).nodes == take_snapshot(open_source(group)).nodes
    assert difference({}, {}) is None
    assert difference({"a.tif": {"size": 3}}, {"a.tif": {"size": 4}}) == "a.tif has 4 bytes, and had 3"
