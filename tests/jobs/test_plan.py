import pytest
import zarr

import tinc_codec
from tinc_codec import ConfigurationError, TINCCodec
from tinc_codec.jobs import cluster
from tinc_codec.jobs.cluster import WorkerOptions, Workers
from tinc_codec.jobs.destination_array import WriteSettings
from tinc_codec.jobs.grids import Grid
from tinc_codec.jobs.plan import make_plan, memory_needed, needed_by
from tinc_codec.jobs.request import Request
from tinc_codec.jobs.route import Route


def test_a_plan_says_what_will_be_done_and_writes_nothing(tmp_path, ome):
    before = sorted(tmp_path.rglob("*"))
    image = ome("0.5")
    after = sorted(tmp_path.rglob("*"))
    plan = tinc_codec.plan(image, tmp_path / "b.zarr", TINCCodec(max_error=20), workers=2, samples=2)
    assert sorted(tmp_path.rglob("*")) == after != before
    assert [(a.path, a.tasks, a.copied) for a in plan.arrays] == [
        ("0", 12, None),
        ("1", 2, None),
        ("2", 1, "small"),
        ("labels/cells/0", 12, "a label image"),
    ]
    assert plan.tasks == 27
    assert plan.raw_bytes == sum(a.raw_bytes for a in plan.arrays)
    assert (plan.workers, plan.sampled, plan.target) == (2, 2, "max_error=20.0")
    assert plan.seconds > 0
    assert 0 < plan.expected_bytes < plan.raw_bytes
    assert any("compress better" in hint for hint in plan.hints)
    assert plan.as_json()["tasks"] == 27


def test_a_chunk_that_needs_too_much_memory_is_refused_with_one_that_fits(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(2048, 2048, 2048), chunks=(1024, 1024, 1024), dtype="u2")
    route, writer = Route(tmp_path / "a.zarr", "x"), WriteSettings(TINCCodec(ratio=64).config)
    workers = Workers(2, 1, 4 * 2**30)
    with pytest.raises(
        ConfigurationError, match=r"give workers more memory, or chunks=\((\d+), (\d+), (\d+)\)"
    ) as refused:
        make_plan(Request(route, writer).destination(), "x", workers, 0)
    fitting = tuple(int(n) for n in str(refused.value).rsplit("chunks=(", 1)[1].rstrip(")").split(","))
    destination = Request(route, writer, Grid(fitting)).destination()
    assert make_plan(destination, "x", workers, 0).memory <= workers.memory


def test_workers_are_as_many_as_cores_and_memory_allow(monkeypatch):
    class Memory:
        available = 8 * 2**30

    monkeypatch.setattr(cluster.psutil, "virtual_memory", Memory)
    monkeypatch.setattr(cluster, "cores", lambda: 16)
    assert WorkerOptions(devices="cpu").workers(2**30) == Workers(6, 2, int(8 * 2**30 * 0.85) // 6)
    assert WorkerOptions(devices="cpu", number=3).workers(2**30).threads == 5
    assert WorkerOptions(devices="cpu").workers(2**40).number == 1
    for devices, message in ((7, "torch sees"), ("tpu", "known are"), ("gpu", "sees no GPU")):
        with pytest.raises(ConfigurationError, match=message):
            WorkerOptions(devices=devices).workers(1)
    with pytest.raises(ConfigurationError, match="of at least 1"):
        WorkerOptions(devices="cpu", number=-1).workers(1)


def test_a_terabyte_is_planned_from_its_metadata(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(8192, 8192, 8192), chunks=(256, 256, 512), dtype="u2")
    plan = tinc_codec.plan(tmp_path / "a.zarr", "x", TINCCodec(ratio=64), samples=0)
    assert plan.raw_bytes == 2 * 8192**3
    assert plan.tasks == 32 * 32 * 16
    assert plan.expected_bytes == plan.raw_bytes // 64


def test_memory_counts_shards_whole_and_chunks_one_by_one(tmp_path, source):
    import numpy as np

    config = TINCCodec(ratio=64).config
    chunk = memory_needed((64, 64, 64), None, np.dtype("u2"), config)
    shard = memory_needed((64, 64, 64), (256, 256, 256), np.dtype("u2"), config)
    assert shard - chunk == 4 * 2 * (256**3 - 64**3)
    (array,) = Request(Route(source, "x"), WriteSettings(None, {3: {}})).destination().arrays
    assert needed_by(array) < chunk


def test_wrong_grids_are_refused(source, tmp_path):
    for settings, message in (
        ({"chunks": (8, 8)}, "do not fit"),
        ({"chunks": (8, 8, 0)}, "whole numbers"),
        ({"chunks": (8, 8, 8), "shards": (12, 8, 8)}, "not whole chunks"),
        ({"shards": (32, 32, 32), "zarr_format": 2}, "Zarr format 2 has none"),
        ({"zarr_format": 4}, "must be 2 or 3"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            tinc_codec.plan(source, tmp_path / "b.zarr", TINCCodec(), samples=0, **settings)


def test_padding_counts_where_chunks_have_a_budget(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(300, 300, 130), chunks=(64, 64, 64), dtype="u2")
    whole = 320 * 320 * 192 * 2
    for target, expected in ((TINCCodec(ratio=50), whole // 50), (TINCCodec(max_error=2), None)):
        plan = tinc_codec.plan(tmp_path / "a.zarr", tmp_path / "b", target, samples=0)
        assert plan.expected_bytes == expected
        assert len(plan.hints) == (expected is not None)
    (hint,) = tinc_codec.plan(tmp_path / "a.zarr", tmp_path / "b", TINCCodec(ratio=50), samples=0).hints
    assert hint.startswith("array '/': padding")
    assert "up to 1.68 times" in hint
    assert hint.endswith("less with chunks=(60, 60, 44)")
    fitting = tinc_codec.plan(tmp_path / "a.zarr", tmp_path / "b", TINCCodec(ratio=50), samples=0, chunks=(60, 60, 44))
    assert not fitting.hints
    zarr.create_array(tmp_path / "g.zarr" / "0", shape=(512, 512, 256), chunks=(64, 64, 64), dtype="u2")
    zarr.create_array(tmp_path / "g.zarr" / "1", shape=(65, 65, 65), chunks=(64, 64, 64), dtype="u2")
    zarr.create_group(tmp_path / "g.zarr")
    assert tinc_codec.plan(tmp_path / "g.zarr", tmp_path / "b", TINCCodec(ratio=50), samples=0).hints == ()
