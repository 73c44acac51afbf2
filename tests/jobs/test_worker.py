"""A worker writes what is asked for, and whoever reads it back asks no less."""

import numpy as np
import pytest
import zarr
from zarr.core.buffer import cpu
from zarr.core.sync import sync

import tinc_codec
from tests.jobs.results import QUIET
from tinc_codec import CorruptStreamError, TINCCodec, zarr_kwargs
from tinc_codec.errors import SourceError
from tinc_codec.hosts.regions import Regions
from tinc_codec.jobs import worker
from tinc_codec.jobs.ledger import EMPTY
from tinc_codec.jobs.sources import ZarrSource
from tinc_codec.jobs.work import Work
from tinc_codec.runtime import shortage


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


@pytest.fixture
def pair(tmp_path):
    """A source, and an array of the destination that an encoder of its own keeps within 2."""
    data = np.random.default_rng(0).normal(100, 9, (8, 8)).astype("f4")
    data[5, 5] = np.nan
    source = zarr.create_array(tmp_path / "s.zarr", data=data, chunks=(4, 8), zarr_format=2, fill_value=0)
    codec = TINCCodec(max_error=2, effort=1)
    target = zarr.create_array(tmp_path / "t.zarr", shape=(8, 8), dtype="f4", chunks=(4, 8), **zarr_kwargs(codec))
    return source, target, codec.config


def work_of(pair, mode="encode", **changed):
    source, target, config = pair
    values = {"mode": mode, "config": config if mode == "encode" else None, "chunks": (4, 8)}
    values |= {"regions": Regions((8, 8), (4, 8)), "fingerprint": "f", "stored": frozenset({"0.0", "1.0"})}
    return Work("", ZarrSource(source), target, **{**values, **changed})


def test_a_chunk_is_written_read_back_and_measured(pair):
    work = work_of(pair)
    piece = work.piece((1, 0))
    record = worker.write(work.packed, piece)
    assert (record.key, record.index, record.verified, record.instead) == ("c/1/0", (1, 0), False, None)
    assert record.raw_bytes == 128
    assert record.stored_bytes == len(worker.stored_object(work.array, "c/1/0"))
    verified = worker.verify(work.packed, record, piece)
    original, decoded = pair[0][4:], pair[1][4:]
    error = np.abs(original - decoded)[np.isfinite(original)]
    assert (verified.verified, verified.voxels) == (True, 31)
    assert verified.max_error == error.max() <= 2
    assert verified.squares == pytest.approx(float((error.astype(float) ** 2).sum()))
    assert worker.doubtful(work.packed, [verified], [piece], True) == []
    assert worker.doubtful(work.packed, [verified], [piece], False) == []


def test_what_is_stored_instead_is_lossless(pair):
    work = work_of(pair)
    piece = work.piece((0, 0))
    record = worker.write(work.packed, piece, "it failed")
    assert (pair[1][:4] == pair[0][:4]).all()
    verified = worker.verify(work.packed, record, piece)
    assert (verified.instead, verified.max_error, verified.squares) == ("it failed", 0.0, 0.0)


def test_damage_and_another_source_are_told_apart(pair):
    work = work_of(pair)
    piece = work.piece((0, 0))
    record = worker.verify(work.packed, worker.write(work.packed, piece), piece)
    pair[0][0, 0] += 1
    with pytest.raises(SourceError, match="chunk c/0/0 reads otherwise than when it was written"):
        worker.verify(work.packed, record, piece)
    pair[0][0, 0] -= 1
    pair[1][:4] = 0
    with pytest.raises(CorruptStreamError, match="chunk c/0/0 is not in the store as it was written"):
        worker.verify(work.packed, record, piece)
    assert worker.doubtful(work.packed, [record], [piece], True) == ["c/0/0"]
    assert worker.doubtful(work.packed, [record], [piece], False) == ["c/0/0"]


@pytest.mark.parametrize("stored", [True, False])
def test_copies_are_the_same_bytes_or_the_same_absence(pair, tmp_path, stored):
    source, _, _ = pair
    target = zarr.create_array(
        tmp_path / "c.zarr", data=np.ones((8, 8), "f4"), chunks=(4, 8), zarr_format=2, fill_value=0
    )
    if not stored:
        (tmp_path / "s.zarr/0.0").unlink()
    work = work_of((source, target, None), "copy", stored=frozenset({"0.0", "1.0"} if stored else {"1.0"}))
    piece = work.piece((0, 0))
    record = worker.write(work.packed, piece)
    assert worker.stored_object(target, "0.0") == worker.stored_object(source, "0.0")
    assert (record.digest == EMPTY) == (not stored)
    assert (record.raw_bytes, record.kinds) == (128, {})
    assert worker.verify(work.packed, record, piece).verified
    sync((target.store_path / "0.0").set(cpu.Buffer.from_bytes(b"other")))
    with pytest.raises(CorruptStreamError, match="is not in the store as it was written"):
        worker.verify(work.packed, record, piece)


@pytest.mark.parametrize("dtype", ["U4", "T", "O", "f8", ">u2"])
def test_digests_are_of_what_samples_say_wherever_they_lie(dtype):
    kind = np.dtypes.StringDType() if dtype == "T" else np.dtype(dtype)
    values = [["1", "22"], ["333", "4"]]
    data = np.array(values if dtype in ("U4", "T", "O") else [[1, 22], [333, 4]], kind)
    assert worker.digest_of_samples(data) == worker.digest_of_samples(data.copy(order="F"))
    assert worker.digest_of_samples(data) != worker.digest_of_samples(data[::-1])
    assert worker.digest_of(None) == EMPTY != worker.digest_of(b"")


def test_a_record_says_what_a_devices_memory_did_not_hold_once(tmp_path, monkeypatch, volume):
    torch = pytest.importorskip("torch")
    from tinc_codec.backends import choice
    from tinc_codec.backends.torch import inference
    from tinc_codec.backends.torch.detail import transform

    def forward(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(choice, "LEAST_ON_DEVICE", 1)
    monkeypatch.setattr(inference, "find_device", lambda _: torch.device("cpu"))
    monkeypatch.setattr(transform, "forward", forward)
    tinc_codec.set_process(device="cuda:0")
    shortage.taken()
    source = zarr.create_array(tmp_path / "s.zarr", data=volume[:16, :16, :16], chunks=(16, 16, 16))
    codec, shape = TINCCodec(ratio=10, effort=1), {"shape": source.shape, "chunks": source.shape}
    target = zarr.create_array(tmp_path / "t.zarr", **shape, dtype=source.dtype, **zarr_kwargs(codec))
    stored = {"stored": frozenset({"c/0/0/0"})}
    work = work_of(
        (source, target, codec.config), chunks=source.shape, regions=Regions(source.shape, source.shape), **stored
    )
    piece = work.piece((0, 0, 0))
    record = worker.write(work.packed, piece)
    assert record.short == {shortage.ON_CPU: 1}
    assert worker.verify(work.packed, record, piece).short == record.short
    tinc_codec.set_process(device="cpu")
    assert worker.write(work.packed, piece).short == {}
