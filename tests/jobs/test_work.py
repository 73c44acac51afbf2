"""What a worker is given."""

import pytest
import zarr


def test_tasks_of_a_dask_source_do_not_carry_the_whole_graph(volume, tmp_path):
    da = pytest.importorskip("dask.array")
    from tinc_codec.hosts.regions import Regions
    from tinc_codec.jobs.sources import DaskSource
    from tinc_codec.jobs.work import Work

    lazy = DaskSource(da.from_array(volume, chunks=(10, 10, 10)) + 1)
    target = zarr.create_array(tmp_path / "a.zarr", shape=volume.shape, dtype="u2", chunks=(10, 10, 10))
    work = Work("", lazy, target, "encode", None, (10, 10, 10), Regions(volume.shape, (10, 10, 10)), "")
    assert len(work.packed) < 4000
