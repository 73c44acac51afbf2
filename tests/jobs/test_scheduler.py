"""What becomes of chunks that fail."""

import errno
import os

import pytest
import zarr
from zarr.storage import LocalStore

import tinc_codec
from tests.jobs.results import QUIET, close, compressed
from tinc_codec import ConfigurationError, JobError
from tinc_codec.jobs.scheduler import Failure


def failing(monkeypatch, wrong, error):
    """Let encoding fail for some chunks, unless they are stored losslessly."""
    from tinc_codec.encoding import encode as encoding

    real = encoding.encode

    def encode(array, config):
        if config.max_error != 0 and wrong(array):
            raise error
        return real(array, config)

    monkeypatch.setattr(encoding, "encode", encode)


@pytest.mark.parametrize("shards", [None, (32, 32, 32)])
def test_a_chunk_that_fails_is_stored_losslessly_and_said(
    tmp_path, source, volume, bounded, client, monkeypatch, shards
):
    failing(monkeypatch, lambda array: (array[:16] == volume[:16, :32, :32]).all(), RuntimeError("out of memory"))
    settings = {"shards": shards} if shards else {}
    report = tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, retries=0, **settings, **QUIET)
    assert [f.instead for f in report.failures] == ["lossless"]
    assert "out of memory" in report.failures[0].reason
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")
    assert (got[:16, :32, :32] == volume[:16, :32, :32]).all()
    assert close(got[:], volume)
    assert got.serializer.config.max_error == 20 or shards  # what is asked for stays in the metadata
    again = tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, retries=0, **settings, **QUIET)
    assert (again.done, again.failures) == (0, report.failures)  # it is said as long as it is so


def test_a_chunk_that_fails_may_be_skipped_or_stop_the_job(tmp_path, source, volume, bounded, client, monkeypatch):
    failing(monkeypatch, lambda array: (array == volume[:16, :32, :32]).all(), RuntimeError("no"))
    settings = {"client": client, "retries": 1, **QUIET}
    report = tinc_codec.compress(source, tmp_path / "b.zarr", bounded, on_error="skip", **settings)
    assert report.failures == (Failure("c/0/0/0", "RuntimeError: no", "skipped"),)
    with pytest.raises(JobError, match="c/0/0/0 failed: RuntimeError: no"):
        tinc_codec.compress(source, tmp_path / "c.zarr", bounded, on_error="raise", **settings)
    assert not (tmp_path / "c.zarr").exists()  # no reader sees a part of it
    with pytest.raises(JobError, match="is left as it was"):
        tinc_codec.compress(source, None, bounded, on_error="skip", **settings)
    assert not compressed(source)
    with pytest.raises(ConfigurationError, match="on_error"):
        tinc_codec.compress(source, tmp_path / "d.zarr", bounded, on_error="ignore", **settings)


def test_a_full_disk_stops_the_job_and_the_next_run_goes_on(tmp_path, source, volume, bounded, client, monkeypatch):
    real, written = LocalStore.set, []

    async def full(self, key, value):
        if key.startswith("c/"):
            written.append(key)
            if len(written) > 5:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        await real(self, key, value)

    monkeypatch.setattr(LocalStore, "set", full)
    with pytest.raises(JobError, match="No space left on device"):
        tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, **QUIET)
    monkeypatch.setattr(LocalStore, "set", real)
    again = tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, **QUIET)
    assert 1 <= again.reused <= 5
    assert again.done == 12 - again.reused
    assert close(zarr.open_array(tmp_path / "b.zarr", mode="r")[:], volume)
