"""Nodes are opened, or what was given is named with what to do."""

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore, MemoryStore

from tinc_codec.errors import ConfigurationError, MissingDependencyError
from tinc_codec.hosts.opening import open_node, open_zarr, store_of
from tinc_codec.hosts.stores import UrlStore


def test_a_path_is_the_same_from_any_directory(tmp_path, monkeypatch):
    zarr.create_array(tmp_path / "ä 1.zarr", data=np.arange(4))
    monkeypatch.chdir(tmp_path)
    place = store_of("ä 1.zarr")
    monkeypatch.chdir("/")
    assert (open_zarr(place)[:] == np.arange(4)).all()
    assert store_of(f"file://{tmp_path}/ä 1.zarr") == place


def test_what_is_no_name_is_left_to_zarr_and_a_url_is_a_store():
    store = MemoryStore()
    assert store_of(store) is store
    with pytest.raises(ConfigurationError, match="in the memory of this process"):
        store_of("memory://a.zarr")
    assert isinstance(store_of("http://localhost:1/a.zarr"), UrlStore)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "holds no Zarr array or group: see that the path is right"),
        ({"zarr.json": "{"}, "not JSON"),
        ({"zarr.json": '{"zarr_format": 3, "node_type": "array"}'}, "has metadata that zarr cannot read"),
        ({"zarr.json": '{"zarr_format": 3, "node_type": "thing"}'}, "holds no Zarr array or group"),
        ({".zarray": '{"zarr_format": 2, "shape": [3]}'}, "has metadata that zarr cannot read"),
    ],
)
def test_what_cannot_be_opened_is_named_in_one_line(tmp_path, files, words):
    (tmp_path / "given.zarr").mkdir()
    for name, text in files.items():
        (tmp_path / "given.zarr" / name).write_text(text)
    with pytest.raises(ConfigurationError, match=words) as refusal:
        open_zarr(tmp_path / "given.zarr")
    assert str(refusal.value).startswith(f"source '{tmp_path / 'given.zarr'}'")
    assert "\n" not in str(refusal.value)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match=r"source .*nothing\.zarr"):
        open_zarr(tmp_path / "nothing.zarr")
    with pytest.raises(ConfigurationError, match="as it was given"):
        open_node(tmp_path / "nothing.zarr", "as it was given")


def test_a_package_that_a_protocol_needs_is_named(monkeypatch):
    def missing(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(FsspecStore, "from_url", missing)
    with pytest.raises(MissingDependencyError, match=r"s3://bucket/a.zarr needs a package .*Install s3fs"):
        open_zarr("s3://bucket/a.zarr")
