"""A job whose tasks do nothing: its records say so."""

import numpy as np
import pytest
import zarr

from tinc_codec.bench.overhead import Overhead, verify_nothing, write_nothing
from tinc_codec.hosts.regions import Regions
from tinc_codec.jobs.sources import ArrayReader
from tinc_codec.jobs.work import Piece, Work


def test_nothing_is_written_and_all_is_said_to_be_done(tmp_path):
    target = zarr.create_array(tmp_path / "a", shape=(8, 8), dtype="u2", chunks=(4, 8))
    reader = ArrayReader(np.ones((8, 8), "u2"))
    work = Work("x", reader, target, "encode", None, (4, 8), Regions((8, 8), (4, 8)), "f")
    record = write_nothing(work.packed, Piece((1, 0)))
    assert (record.array, record.key, record.verified) == ("x", "c/1/0", False)
    assert verify_nothing(work.packed, record, Piece((1, 0))).verified
    assert target.nchunks_initialized == 0


def test_what_a_chunk_takes_of_it():
    overhead = Overhead((8, 8, 8), 0.5, 200, 4.0, 10**8, 2 * 10**8)
    assert overhead.per_task == pytest.approx(0.02)
    assert overhead.as_json()["per_task"] == overhead.per_task
    assert "200 tasks in 4.0 s, 20.00 ms each" in overhead.line
    assert "100 MB of memory after a tenth, 200 MB at the end" in overhead.line
