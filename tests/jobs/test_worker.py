"""A worker writes what is asked for, and whoever reads it back asks no less."""

import pytest
import zarr

import tinc_codec
from tests.jobs.results import QUIET
from tinc_codec import TINCCodec
from tinc_codec.jobs import worker


def test_what_was_written_of_a_chunk_that_is_skipped_is_removed(tmp_path, source, bounded, client, monkeypatch):
    real = worker.complaint

    def wrong(original, decoded, config):
        return "is wrong" if original.shape == (8, 18, 28) else real(original, decoded, config)

    monkeypatch.setattr(worker, "complaint", wrong)
    settings = {"client": client, "retries": 0, "progress": False}
    report = tinc_codec.compress(source, tmp_path / "b.zarr", bounded, on_error="skip", **settings)
    assert [(failure.chunk, failure.instead) for failure in report.failures] == [("c/2/1/1", "skipped")]
    array = zarr.open_array(tmp_path / "b.zarr", mode="r")
    assert not (array[32:, 32:, 32:]).any()
    assert not (tmp_path / "b.zarr/c/2/1/1").exists()


def test_what_verification_finds_wrong_is_done_again_losslessly(tmp_path, source, volume, client, monkeypatch):
    """An encoder that breaks its promise is noticed by who reads it back."""
    from tinc_codec.encoding import encode as encoding

    real = encoding.encode
    worse = TINCCodec(max_error=50).config

    def encode(array, config):
        return real(array, worse if config.max_error == 2 else config)

    monkeypatch.setattr(encoding, "encode", encode)
    codec = TINCCodec(max_error=2)
    report = tinc_codec.compress(source, tmp_path / "b.zarr", codec, client=client, retries=0, **QUIET)
    assert len(report.failures) == 12
    assert "above 2" in report.failures[0].reason
    assert (zarr.open_array(tmp_path / "b.zarr", mode="r")[:] == volume).all()


@pytest.mark.parametrize("exact", [(), (-9999.9,)])
def test_who_reads_a_chunk_back_asks_no_less_of_it_than_who_encodes_it(tmp_path, volume, client, monkeypatch, exact):
    """A float32 array with a fill value that float32 has not, and an encoder that gives 14 dB instead of 60."""
    from tinc_codec.encoding import encode as encoding

    real = encoding.encode
    asked, worse = (TINCCodec(psnr=psnr, exact_values=exact, effort=1) for psnr in (60, 14))

    def encode(array, config):
        return real(array, worse.config if config.psnr == 60 else config)

    monkeypatch.setattr(encoding, "encode", encode)
    given = volume.astype("f4")
    given[5:9, 10:30] = -9999.9
    zarr.create_array(tmp_path / "a.zarr", data=given, chunks=(20, 50, 60))
    report = tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", asked, client=client, retries=0, **QUIET)
    assert len(report.failures) == 2
    assert all("of 60.0 dB" in failure.reason for failure in report.failures)
    assert (zarr.open_array(tmp_path / "b.zarr", mode="r")[:] == given).all()
