import os
import tempfile
from pathlib import Path

import pytest
import zarr

from tinc_codec.errors import ConfigurationError, JobError
from tinc_codec.jobs import staging as module
from tinc_codec.jobs.staging import Place

needs_exchange = pytest.mark.skipif(os.name == "nt", reason="no exchange of directories on this system")


def test_what_a_job_keeps_lies_beside_the_outermost_store(tmp_path):
    root = zarr.create_group(tmp_path / "g.zarr")
    root.create_group("well").create_array("0", shape=(4,), dtype="u1")
    assert Place.of(tmp_path / "g.zarr").beside == tmp_path / "g.zarr.tinc"
    assert Place.of(tmp_path / "g.zarr" / "well" / "0").beside == tmp_path / "g.zarr.well.0.tinc"


def test_one_job_at_a_time(tmp_path):
    place = Place.of(tmp_path / "a.zarr")
    with place.locked(), pytest.raises(JobError, match="another process"), place.locked():
        pass
    with place.locked():
        pass


@needs_exchange
@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_what_cannot_be_replaced_in_one_step_is_refused_with_the_reason(tmp_path, monkeypatch):
    root = zarr.create_group(tmp_path / "g.zarr")
    root.create_array("0", shape=(4,), dtype="u1")
    place = Place.of(tmp_path / "g.zarr" / "0")
    place.beside.mkdir()
    place.check_replaceable()
    zarr.consolidate_metadata(tmp_path / "g.zarr")
    with pytest.raises(ConfigurationError, match="consolidated metadata"):
        place.check_replaceable()

    def broken(*_):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("tinc_codec.jobs.atomic_swap.exchange", broken)
    with pytest.raises(ConfigurationError, match=r"cannot exchange two directories in one step .Invalid argument"):
        place.check_replaceable()
    assert list(place.beside.iterdir()) == []
    assert module.can_exchange(tmp_path) == "Invalid argument"


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="there is no second file system")
def test_a_ledger_on_another_file_system_is_refused_before_anything_is_written(tmp_path):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        place = Place(tmp_path / "not" / "yet" / "a.zarr", Path(elsewhere))
        with pytest.raises(ConfigurationError, match="another file system"):
            place.check_one_system()
    beside = Place.of(tmp_path / "a.zarr")
    beside.beside.mkdir()
    beside.check_one_system()
