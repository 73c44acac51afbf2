"""What can be known is checked before a worker is started, and nothing is written where it is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import zarr

import tinc_codec
from tinc_codec import ConfigurationError, TINCCodec
from tinc_codec.jobs import route, run
from tinc_codec.jobs import staging as place
from tinc_codec.jobs.grids import Grid

pytest.importorskip("distributed")


@pytest.fixture(autouse=True)
def no_workers(monkeypatch):
    def started(*_):
        raise AssertionError("workers are started")

    monkeypatch.setattr(run, "connected", started)


def refused(src, dst, match, **settings):
    with pytest.raises(ConfigurationError, match=match):
        tinc_codec.compress(src, dst, TINCCodec(max_error=20, effort=1), progress=False, **settings)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("workers", [0, -1, True, "2", 1.5])
def test_workers_are_a_whole_number_from_1(tmp_path, source, workers):
    refused(source, tmp_path / "b.zarr", "workers=", workers=workers)
    assert entries(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize("devices", [True, ["0"], [None], "tpu", [99]])
def test_devices_that_are_none(tmp_path, source, devices):
    refused(source, tmp_path / "b.zarr", "devices=", devices=devices)
    assert entries(tmp_path) == ["a.zarr"]


@pytest.mark.parametrize("name", ["chunks", "shards"])
@pytest.mark.parametrize("grid", [64, "64", (0, 8, 8), (8, -8, 8), (8, 8.0, 8), (True, 8, 8), (8, 8, None)])
def test_chunks_are_whole_numbers_from_1(tmp_path, source, name, grid):
    refused(source, tmp_path / "b.zarr", f"{name}=", **{name: grid})
    assert entries(tmp_path) == ["a.zarr"]


def test_numpys_numbers_are_whole_numbers_too():
    assert Grid(chunks=[np.int64(8), np.uint8(4)]).chunks == (8, 4)


@pytest.mark.parametrize("zarr_format", [1, 4, "3", True])
def test_zarr_formats_that_are_none(tmp_path, source, zarr_format):
    refused(source, tmp_path / "b.zarr", "zarr_format=", zarr_format=zarr_format)


def test_destinations_that_cannot_be(tmp_path, source):
    (tmp_path / "file").write_text("x")
    refused(source, tmp_path / "file", "is a file")
    refused(source, tmp_path / "file" / "b.zarr", "file is a file")
    refused(source, 7, "dst=7")
    refused(source, tmp_path / "b.zarr", "ledger=7", ledger=7)
    assert entries(tmp_path) == ["a.zarr", "file"]


@pytest.mark.parametrize("name", ["b.zarr.tinc", "b.zarr.tinc/ledger", "b.zarr.tinc/new"])
def test_something_else_where_the_jobs_files_are_to_be(tmp_path, source, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if name.endswith("ledger") else path.write_text("x")
    refused(source, tmp_path / "b.zarr", "is a file|in the way")
    assert path.exists()


def test_ledgers_that_cannot_be(tmp_path, source):
    (tmp_path / "file").write_text("x")
    refused(source, tmp_path / "b.zarr", "the job's directory .* cannot be written", ledger=tmp_path / "file")
    refused(source, tmp_path / "b.zarr", "the job's directory .* cannot be written", ledger=tmp_path / "file" / "job")
    assert entries(tmp_path) == ["a.zarr", "file"]


def test_a_file_system_that_cannot_be_written(tmp_path, source, monkeypatch):
    def read_only(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(place.tempfile, "mkdtemp", read_only)
    refused(source, tmp_path / "b.zarr", "Read-only file system")
    assert entries(tmp_path) == ["a.zarr"]


def test_a_place_inside_the_source(tmp_path, source):
    refused(source, source / "b.zarr", "lies inside the source")
    refused(source, tmp_path / "b.zarr", "lies inside the source", ledger=source / "job")
    refused(source, None, "lies inside the source", ledger=source / "job")
    assert entries(tmp_path) == ["a.zarr"]
    assert entries(source) == ["c", "zarr.json"]


def test_no_room(tmp_path, source, monkeypatch):
    monkeypatch.setattr(place.shutil, "disk_usage", lambda _: SimpleNamespace(free=999))
    codec = TINCCodec(ratio=8)
    with pytest.raises(ConfigurationError, match=r"999 bytes free, and about 48,\d+ are to be written"):
        tinc_codec.compress(source, tmp_path / "b.zarr", codec, progress=False)
    with pytest.raises(ConfigurationError, match="999 bytes free"):
        tinc_codec.compress(source, None, codec, progress=False)


def test_a_source_that_may_not_be_read(tmp_path, source, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(route, "open_source", denied)
    refused(source, tmp_path / "b.zarr", "Permission denied")


def test_a_destination_of_others_is_refused_before_anything_is_sampled(tmp_path, source, monkeypatch):
    zarr.create_array(tmp_path / "b.zarr", data=np.ones((4, 4)))
    monkeypatch.setattr(run, "make_plan", None)
    refused(source, tmp_path / "b.zarr", "exists and is not of this job")
