"""What a region is read from is there before and after; what a store or a codec says of it is told apart."""

import gzip
import pickle

import numpy as np
import pytest
import zarr

from tinc_codec.errors import SourceError
from tinc_codec.jobs.presence import File, Objects, presence_of, read, watched
from tinc_codec.jobs.sources import ZarrSource

KEYS = frozenset({"c/0/0", "c/0/1", "c/1/0"})  # c/1/1 is not stored


@pytest.fixture
def reader(tmp_path):
    data = np.ones((8, 8), "u1")
    data[4:, 4:] = 0
    return ZarrSource(zarr.create_array(tmp_path / "a.zarr", data=data, chunks=(4, 4)))


def test_the_objects_that_a_region_is_read_from(reader):
    at = presence_of(reader, KEYS)
    assert at((slice(0, 4), slice(0, 8))) == Objects(frozenset({"c/0/0", "c/0/1"}), frozenset())
    assert at((slice(3, 5), slice(4, 8))) == Objects(frozenset({"c/0/1"}), frozenset({"c/1/1"}))
    assert pickle.loads(pickle.dumps(at((slice(0, 1), slice(0, 1))))) == Objects(frozenset({"c/0/0"}), frozenset())
    assert presence_of(reader, None)((slice(0, 1), slice(0, 1))) is None


def test_shards_are_what_is_stored(tmp_path):
    array = zarr.create_array(tmp_path / "s.zarr", data=np.ones((8, 8), "u1"), chunks=(2, 2), shards=(4, 8))
    at = presence_of(ZarrSource(array), frozenset({"c/0/0", "c/1/0"}))
    assert at((slice(0, 4), slice(0, 2))).stored == {"c/0/0"}


def test_what_goes_or_comes_while_a_region_is_read_is_noticed(reader, tmp_path):
    whole = (slice(0, 8), slice(0, 8))
    presence = presence_of(reader, KEYS)(whole)
    assert read(reader, whole, presence).sum() == 48
    file = tmp_path / "a.zarr" / "c" / "0" / "1"
    stored = file.read_bytes()
    with pytest.raises(SourceError, match=r"c/0/1 .* has gone"), watched(reader, presence):
        file.unlink()
    with pytest.raises(SourceError, match="has gone"):
        read(reader, whole, presence)
    file.write_bytes(stored)
    with pytest.raises(SourceError, match=r"c/1/1 .* was not there"), watched(reader, presence):
        (tmp_path / "a.zarr" / "c" / "1" / "1").write_bytes(stored)


@pytest.mark.parametrize(
    "error", [PermissionError("denied"), OSError(5, "Input/output error"), TimeoutError(), ConnectionResetError()]
)
def test_errors_of_the_system_are_the_sources(reader, error):
    with pytest.raises(SourceError, match="cannot be read"), watched(reader, None):
        raise error
    with pytest.raises(SourceError, match="cannot be read"), watched(reader, None):
        raise RuntimeError("in between") from error


@pytest.mark.parametrize("error", [gzip.BadGzipFile("no gzip"), ValueError("corrupt"), EOFError()])
def test_errors_of_a_codec_are_the_chunks(reader, error):
    with pytest.raises(type(error)), watched(reader, presence_of(reader, KEYS)((slice(0, 4), slice(0, 4)))):
        raise error


def test_a_file_is_there_as_it_was(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"12345678")
    file = File.of(str(path))
    file.check(None)
    path.write_bytes(b"1234")
    with pytest.raises(SourceError, match="4 bytes, 8 then"):
        file.check(None)
    path.unlink()
    with pytest.raises(SourceError, match="FileNotFoundError"):
        file.check(None)
    with pytest.raises(SourceError, match="FileNotFoundError"):
        file.fetch(None)
