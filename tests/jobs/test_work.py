"""What a worker is given: packed once, unpacked once, with all that it needs and no more."""

import os
import pickle

import numpy as np
import psutil
import pytest
import zarr

from tinc_codec import process as process_settings
from tinc_codec.hosts.regions import Regions
from tinc_codec.jobs import work as module
from tinc_codec.jobs.presence import Objects
from tinc_codec.jobs.sources import ArrayReader, DaskSource, MeanSource, ZarrSource
from tinc_codec.jobs.work import Piece, Work, peak_memory, unpacked


@pytest.fixture
def target(tmp_path):
    return zarr.create_array(tmp_path / "t.zarr", shape=(8, 8), dtype="u2", chunks=(4, 8))


def work_of(reader, target, **settings):
    return Work("ä", reader, target, "encode", None, (4, 8), Regions((8, 8), (4, 8)), "f", **settings)


def test_tasks_of_a_dask_source_do_not_carry_the_whole_graph(volume, tmp_path):
    da = pytest.importorskip("dask.array")
    lazy = DaskSource(da.from_array(volume, chunks=(10, 10, 10)) + 1)
    target = zarr.create_array(tmp_path / "a.zarr", shape=volume.shape, dtype="u2", chunks=(10, 10, 10))
    work = Work("", lazy, target, "encode", None, (10, 10, 10), Regions(volume.shape, (10, 10, 10)), "")
    assert len(work.packed) < 4000


def test_a_worker_unpacks_an_array_once(target):
    work = work_of(ArrayReader(np.arange(64, dtype="u2").reshape(8, 8)), target)
    there = unpacked(work.packed)
    assert unpacked(bytes(bytearray(work.packed))) is there
    assert there.reader is None  # each task brings its part
    assert (there.path, there.fingerprint, there.regions) == ("ä", "f", work.regions)
    piece = pickle.loads(pickle.dumps(work.piece((1, 0))))
    assert (there.read(piece) == np.arange(32, 64).reshape(4, 8)).all()
    assert there.key((1, 0)) == "c/1/0"


def test_pieces_of_a_zarr_array_say_what_they_are_read_from(tmp_path, target):
    array = zarr.create_array(tmp_path / "s.zarr", data=np.ones((8, 8), "u2"), chunks=(4, 8))
    work = work_of(ZarrSource(array), target, stored=frozenset({"c/0/0"}))
    assert work.piece((0, 0)) == Piece((0, 0), None, Objects(frozenset({"c/0/0"}), frozenset()))
    assert work.piece((1, 0)).presence == Objects(frozenset(), frozenset({"c/1/0"}))
    assert unpacked(work.packed).stored is None  # that stays with the job's process
    assert work_of(ZarrSource(array), target).piece((0, 0)).presence is None
    assert not work.derived
    assert work_of(MeanSource(array, (2, 2), (4, 4)), target).derived


@pytest.mark.parametrize(("own", "named", "threads"), [(True, False, 3), (True, True, 2), (False, False, 0)])
def test_a_worker_of_its_own_takes_its_share_of_the_cores(target, monkeypatch, own, named, threads):
    monkeypatch.setattr(module, "has_own_process", lambda: own)
    monkeypatch.setattr(module, "keep_freed_memory", lambda: None)
    monkeypatch.setattr(module, "cores", lambda: 6)
    if named:
        monkeypatch.setenv("TINC_THREADS", "2")
    unpacked.cache_clear()
    unpacked(work_of(ArrayReader(np.ones((8, 8), "u2")), target, neighbours=2).packed)
    assert process_settings().threads == threads


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="this system does not say")  # noqa: PTH110
def test_memory_is_the_most_that_this_process_has_held():
    process = psutil.Process()
    assert 0.9 * process.memory_info().rss <= peak_memory() < psutil.virtual_memory().total
    before = peak_memory()
    assert np.ones(2**17).sum() == 2**17  # what is given back does not count for less
    assert peak_memory() >= before
