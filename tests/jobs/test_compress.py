"""Jobs from end to end: what comes out, what is done again, and what is refused."""

import errno
import itertools
import json
import logging
import os
import shutil

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

import tinc_codec
from tinc_codec import ConfigurationError, JobError, TINCCodec, zarr_kwargs
from tinc_codec.errors import SourceError
from tinc_codec.hosts.zarr3 import is_compressed
from tinc_codec.jobs import worker
from tinc_codec.jobs.scheduler import Failure

QUIET = {"progress": False}


def compressed(path, name=""):
    return is_compressed(zarr.open_array(path, path=name, mode="r").metadata.to_dict())


def close(a, b, error=20):
    return np.abs(a.astype("i8") - b.astype("i8")).max() <= error


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_keeps_its_layout_attributes_and_bound(tmp_path, volume, bounded, client, zarr_format):
    settings = {"order": "F"} if zarr_format == 2 else {"dimension_names": list("zyx")}
    zarr.create_array(
        tmp_path / "a.zarr",
        data=volume.astype(">u2"),
        chunks=(16, 32, 32),
        fill_value=7,
        attributes={"unit": "um", "nested": {"list": [1, 2]}},
        zarr_format=zarr_format,
        **settings,
    )
    report = tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", bounded, client=client, **QUIET)
    got, was = (zarr.open_array(tmp_path / name, mode="r") for name in ("b.zarr", "a.zarr"))
    assert (got.shape, got.chunks, got.dtype, got.fill_value) == (was.shape, was.chunks, was.dtype, was.fill_value)
    assert dict(got.attrs) == dict(was.attrs)
    assert got.metadata.zarr_format == zarr_format
    assert got.order == was.order
    assert getattr(got.metadata, "dimension_names", None) == getattr(was.metadata, "dimension_names", None)
    assert compressed(tmp_path / "b.zarr")
    assert close(got[:], volume)
    (array,) = report.arrays
    assert (array.chunks, array.verified, report.done, report.reused) == (12, 12, 12, 0)
    assert array.max_error == np.abs(got[:].astype(int) - volume).max()
    span = float(volume.max()) - float(volume.min())
    assert array.psnr == pytest.approx(tinc_codec.metrics.psnr(volume, got[:], span), abs=1e-9)
    assert array.raw_bytes == volume.nbytes
    files = [f for f in (tmp_path / "b.zarr").rglob("*") if f.is_file() and f.name[0] != "." and f.suffix != ".json"]
    assert array.stored_bytes == sum(f.stat().st_size for f in files)


def test_chunks_shards_and_format_are_changed_where_asked(tmp_path, source, volume, bounded, client):
    grid = {"chunks": (20, 25, 30), "shards": (40, 50, 30), "zarr_format": 3}
    tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, **grid, **QUIET)
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")
    assert (got.chunks, got.shards) == ((20, 25, 30), (40, 50, 30))
    assert close(got[:], volume)
    tinc_codec.compress(source, tmp_path / "c.zarr", bounded, client=client, zarr_format=2, **QUIET)
    assert zarr.open_array(tmp_path / "c.zarr", mode="r").metadata.zarr_format == 2


@pytest.mark.parametrize("target", [{"psnr": 45}, {"ratio": 8}, {"max_error": 0}])
def test_other_targets(tmp_path, source, volume, client, target):
    codec = TINCCodec(effort=1, **target)
    report = tinc_codec.compress(source, tmp_path / "b.zarr", codec, client=client, **QUIET)
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")[:]
    assert report.arrays[0].verified == 12
    if "max_error" in target:
        assert (got == volume).all()
        assert report.arrays[0].psnr is None
    if "ratio" in target:
        assert report.plan.expected_bytes == volume.nbytes // 8


def test_ome_images_keep_their_metadata_labels_and_other_files(ome, bounded, client, tmp_path, files):
    for version in ("0.4", "0.5"):
        image = ome(version, f"{version}.zarr")
        packed = tmp_path / f"made-{version}.zarr"
        report = tinc_codec.compress(image, packed, bounded, client=client, **QUIET)
        before, after = zarr.open_group(image, mode="r"), zarr.open_group(packed, mode="r")
        assert dict(after.attrs) == dict(before.attrs)
        assert dict(after["labels/cells"].attrs) == dict(before["labels/cells"].attrs)
        for level in "012":
            assert close(before[level][:], after[level][:])
            assert compressed(packed, level) == (level != "2")  # that one is small, and exact
        is_label = [a for a in report.arrays if a.path == "labels/cells/0"]
        assert is_label[0].copied == "a label image"
        assert files(packed / "labels" / "cells" / "0") == files(image / "labels" / "cells" / "0")
        assert (packed / "OME" / "METADATA.ome.xml").read_text() == "<OME/>"
        other = 3 if version == "0.4" else 2
        with pytest.raises(ConfigurationError, match="version goes with that"):
            tinc_codec.compress(image, tmp_path / "x.zarr", bounded, zarr_format=other, client=client, **QUIET)


def test_coarser_levels_are_derived_from_the_decoded_finest(ome, bounded, client, tmp_path):
    from tinc_codec.jobs.sources import block_mean

    packed = tmp_path / "made.zarr"
    report = tinc_codec.compress(ome("0.5"), packed, bounded, pyramid="derived", client=client, **QUIET)
    group = zarr.open_group(packed, mode="r")
    levels = [group[level][:] for level in "012"]
    for finer, coarser in itertools.pairwise(levels):
        assert close(block_mean(finer, (2, 2, 2)), coarser)
    assert sum(array.verified for array in report.arrays) == report.plan.tasks
    with pytest.raises(ConfigurationError, match="'all' and 'derived'"):
        tinc_codec.compress(packed, tmp_path / "x.zarr", bounded, pyramid="some", client=client, **QUIET)


def test_plates_are_walked(tmp_path, volume, bounded, client):
    plate = zarr.create_group(tmp_path / "p.zarr", zarr_format=2, attributes={"plate": {"wells": [{"path": "A/1"}]}})
    field = plate.create_group("A/1/0", attributes={"multiscales": [{"version": "0.4", "datasets": [{"path": "0"}]}]})
    field.create_array("0", data=volume[None, :20, :32, :32], chunks=(1, 20, 32, 32))
    tinc_codec.compress(tmp_path / "p.zarr", tmp_path / "q.zarr", bounded, client=client, **QUIET)
    assert close(zarr.open_group(tmp_path / "q.zarr", mode="r")["A/1/0/0"][0], volume[:20, :32, :32])


def test_what_must_stay_exact_is_copied_and_said(tmp_path, volume, bounded, client):
    group = zarr.create_group(tmp_path / "g.zarr", attributes={"coordinates": "lat"})
    for name, data in (
        ("image", volume),
        ("lat", np.random.default_rng(0).normal(size=(90, 90))),
        ("x", np.arange(5000.0)),
        ("table", np.arange(60).reshape(6, 10)),
        ("mask", volume > 200),
    ):
        group.create_array(name, data=data, chunks=tuple(min(n, 32) for n in data.shape))
    report = tinc_codec.compress(tmp_path / "g.zarr", tmp_path / "h.zarr", bounded, client=client, **QUIET)
    reasons = {array.path: array.copied for array in report.arrays}
    assert reasons == {
        "image": None,
        "lat": "a coordinate",
        "x": "a coordinate: it has one axis",
        "table": "small",
        "mask": "dtype bool",
    }
    again = zarr.open_group(tmp_path / "h.zarr", mode="r")
    for name in ("lat", "x", "table", "mask"):
        assert (again[name][:] == group[name][:]).all()
        assert again[name].compressors == group[name].compressors
    converted = tinc_codec.compress(
        tmp_path / "g.zarr", tmp_path / "two.zarr", bounded, zarr_format=2, client=client, **QUIET
    )
    assert {a.path for a in converted.arrays if a.copied} == set(reasons) - {"image"}
    assert (zarr.open_group(tmp_path / "two.zarr", mode="r")["mask"][:] == group["mask"][:]).all()


def test_missing_values_are_exact(tmp_path, volume, client):
    given = volume.copy()
    given[3:9, 5:40] = 65535
    attributes = {"_FillValue": 65535, "missing_value": 0}
    zarr.create_array(tmp_path / "a.zarr", data=given, chunks=(20, 50, 60), attributes=attributes)
    tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", TINCCodec(max_error=300), client=client, **QUIET)
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")[:]
    assert ((got == 65535) == (given == 65535)).all()


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_consolidated_metadata_tell_of_the_new_arrays(tmp_path, volume, bounded, client):
    for zarr_format in (2, 3):
        root = zarr.create_group(tmp_path / f"{zarr_format}.zarr", zarr_format=zarr_format)
        root.create_array("image", data=volume, chunks=(20, 50, 60))
        zarr.consolidate_metadata(tmp_path / f"{zarr_format}.zarr")
        packed = tmp_path / f"made{zarr_format}.zarr"
        tinc_codec.compress(tmp_path / f"{zarr_format}.zarr", packed, bounded, client=client, **QUIET)
        group = zarr.open_consolidated(packed, mode="r")
        assert is_compressed(group["image"].metadata.to_dict())


def test_dask_and_tiff_sources(tmp_path, volume, bounded, client):
    da = pytest.importorskip("dask.array")
    tifffile = pytest.importorskip("tifffile")
    lazy = da.from_array(volume, chunks=(20, 25, 60)).rechunk((20, 50, 60)) // 2
    tinc_codec.compress(lazy, tmp_path / "d.zarr", bounded, client=client, **QUIET)
    got = zarr.open_array(tmp_path / "d.zarr", mode="r")
    assert got.chunks == (20, 50, 60)
    assert close(got[:], volume // 2)
    uneven = da.from_array(volume, chunks=((10, 20, 10), (50,), (60,)))
    with pytest.raises(ConfigurationError, match="blocks differ in size"):
        tinc_codec.compress(uneven, tmp_path / "u.zarr", bounded, client=client, **QUIET)
    tinc_codec.compress(uneven, tmp_path / "u.zarr", bounded, chunks=(20, 25, 60), client=client, **QUIET)
    got = zarr.open_array(tmp_path / "u.zarr", mode="r")
    assert got.chunks == (20, 25, 60)
    assert close(got[:], volume)
    tifffile.imwrite(tmp_path / "a.ome.tif", volume, metadata={"axes": "ZYX"})
    tinc_codec.compress(tmp_path / "a.ome.tif", tmp_path / "t.zarr", bounded, client=client, **QUIET)
    got = zarr.open_group(tmp_path / "t.zarr", mode="r")["0"]
    assert got.metadata.dimension_names == ("z", "y", "x")
    assert close(got[:], volume)


def test_a_second_run_does_what_is_missing_or_damaged(tmp_path, source, bounded, client, files, caplog):
    packed = tmp_path / "b.zarr"
    tinc_codec.compress(source, packed, bounded, client=client, **QUIET)
    whole = files(packed)
    chunks = sorted(name for name in whole if name.startswith("c/"))
    (packed / chunks[0]).unlink()
    (packed / chunks[1]).write_bytes(whole[chunks[1]][:-5] + b"wrong")
    (packed / "c" / "0" / "0" / "1.abc.partial").write_bytes(b"half")
    with caplog.at_level(logging.WARNING):
        again = tinc_codec.compress(source, packed, bounded, client=client, **QUIET)
    assert (again.done, again.reused) == (2, 10)
    assert "2 chunks" in caplog.text
    assert files(packed) == whole
    assert tinc_codec.compress(source, packed, bounded, client=client, resume=False, **QUIET).done == 12
    assert files(packed) == whole


def test_a_second_run_with_other_settings_makes_it_anew(tmp_path, source, volume, bounded, client):
    packed = tmp_path / "b.zarr"
    tinc_codec.compress(source, packed, bounded, client=client, **QUIET)
    again = tinc_codec.compress(source, packed, TINCCodec(max_error=3), client=client, **QUIET)
    assert (again.done, again.reused) == (12, 0)
    assert close(zarr.open_array(packed, mode="r")[:], volume, 3)
    assert sorted(p.name for p in (tmp_path / "b.zarr.tinc").iterdir()) == ["ledger", "lock"]


def test_destinations_of_others_are_left_alone(tmp_path, source, bounded, client, files):
    for name in ("b.zarr", "c.zarr"):
        zarr.create_array(tmp_path / name, data=np.ones((4, 4)))
    before = files(tmp_path / "b.zarr")
    with pytest.raises(ConfigurationError, match="exists and is not of this job"):
        tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, **QUIET)
    tinc_codec.compress(source, tmp_path / "d.zarr", bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match="exists and is not of this job"):
        tinc_codec.compress(tmp_path / "c.zarr", tmp_path / "d.zarr", bounded, client=client, **QUIET)
    assert files(tmp_path / "b.zarr") == before


def test_compressed_arrays_are_not_compressed_again(tmp_path, source, bounded, client, files):
    tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, **QUIET)
    report = tinc_codec.compress(tmp_path / "b.zarr", tmp_path / "c.zarr", TINCCodec(), client=client, **QUIET)
    assert report.arrays[0].copied == "already compressed by TINC"
    assert files(tmp_path / "c.zarr") == files(tmp_path / "b.zarr")


def test_destinations_that_no_job_can_write(tmp_path, source, bounded, client):
    with pytest.raises(ConfigurationError, match="ledger="):
        tinc_codec.compress(source, "s3://bucket/b.zarr", bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match="in the memory of this process"):
        tinc_codec.compress(source, "memory://b.zarr", bounded, client=client, ledger=tmp_path / "job", **QUIET)
    with pytest.raises(ConfigurationError, match="zip"):
        tinc_codec.compress(source, tmp_path / "a.zip", bounded, client=client, **QUIET)


@pytest.mark.parametrize("name", ["with space.zarr", "Zürich 脳.zarr", "a#1?b%20[c].zarr", "12:30.zarr"])
def test_local_places_are_paths_and_file_urls(tmp_path, volume, client, name, files):
    zarr.create_array(tmp_path / name, data=volume, chunks=(40, 50, 60))
    codec = TINCCodec(max_error=0)
    for number, form in enumerate((str, lambda path: f"file://{path}", lambda path: f"file:{path}")):
        packed = tmp_path / f"{number}" / name
        tinc_codec.compress(form(tmp_path / name), form(packed), codec, client=client, **QUIET)
        assert (zarr.open_array(packed, mode="r")[:] == volume).all()
    tinc_codec.compress(f"file://{tmp_path / name}", None, codec, client=client, **QUIET)
    assert files(tmp_path / name) == files(packed)


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


@pytest.mark.parametrize("keep", [False, True])
def test_in_place(tmp_path, source, volume, bounded, client, files, keep):
    before = files(source)
    first = tinc_codec.compress(source, None, bounded, client=client, keep_original=keep, **QUIET)
    assert compressed(source)
    assert close(zarr.open_array(source, mode="r")[:], volume)
    assert dict(zarr.open_array(source, mode="r").attrs) == {"unit": "um"}
    old = tmp_path / "a.zarr.tinc" / "old"
    assert old.exists() == keep
    if keep:
        assert files(old) == before
    after = files(source)
    again = tinc_codec.compress(source, None, bounded, client=client, keep_original=keep, **QUIET)
    assert (again.done, again.reused) == (0, first.done)
    assert again.arrays[0].psnr == first.arrays[0].psnr
    assert files(source) == after
    chunk = next(f for f in sorted(source.rglob("*")) if f.is_file() and f.name != "zarr.json")
    chunk.write_bytes(b"damaged")
    with pytest.raises(JobError, match="not as they were written"):
        tinc_codec.compress(source, None, bounded, client=client, keep_original=keep, **QUIET)


def test_new_data_at_a_place_that_was_compressed_in_place(tmp_path, source, volume, bounded, client):
    tinc_codec.compress(source, None, bounded, client=client, keep_original=True, **QUIET)
    shutil.rmtree(source)
    zarr.create_array(source, data=volume + 1000, chunks=(16, 32, 32))
    with pytest.raises(ConfigurationError, match="original of an earlier job"):
        tinc_codec.compress(source, None, bounded, client=client, **QUIET)
    assert (tmp_path / "a.zarr.tinc" / "old").exists()
    assert (zarr.open_array(source, mode="r")[:] == volume + 1000).all()


def test_in_place_inside_a_group_and_of_a_group(tmp_path, volume, bounded, client):
    root = zarr.create_group(tmp_path / "g.zarr", attributes={"a": 1})
    for name in ("one", "two"):
        root.create_array(name, data=volume, chunks=(20, 50, 60), attributes={"name": name})
    tinc_codec.compress(tmp_path / "g.zarr" / "one", None, bounded, client=client, **QUIET)
    assert sorted(name for name, _ in zarr.open_group(tmp_path / "g.zarr", mode="r").arrays()) == ["one", "two"]
    assert (compressed(tmp_path / "g.zarr", "one"), compressed(tmp_path / "g.zarr", "two")) == (True, False)
    tinc_codec.compress(tmp_path / "g.zarr", None, bounded, client=client, **QUIET)
    group = zarr.open_group(tmp_path / "g.zarr", mode="r")
    assert dict(group.attrs) == {"a": 1}
    for name in ("one", "two"):
        assert compressed(tmp_path / "g.zarr", name)
        assert dict(group[name].attrs) == {"name": name}
        assert close(group[name][:], volume)


def test_in_place_is_refused_where_it_is_not_safe(tmp_path, volume, source, bounded, client):
    with pytest.raises(ConfigurationError, match="nothing was compared with"):
        tinc_codec.compress(source, None, bounded, client=client, verify=False, **QUIET)
    da = pytest.importorskip("dask.array")
    with pytest.raises(ConfigurationError, match="cannot be compressed in place"):
        tinc_codec.compress(da.from_array(volume), None, bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match="in the memory of this process"):
        tinc_codec.compress(zarr.create_array({}, data=volume), tmp_path / "x.zarr", bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match=r"is not there|holds no Zarr"):
        tinc_codec.compress(tmp_path / "nothing", tmp_path / "x.zarr", bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match="must be a TINCCodec"):
        tinc_codec.compress(source, tmp_path / "x.zarr", "tinc", client=client, **QUIET)


def test_the_report_is_json_and_a_page(tmp_path, ome, bounded, client):
    pytest.importorskip("matplotlib")
    report = tinc_codec.compress(ome("0.5"), tmp_path / "b.zarr", bounded, client=client, **QUIET)
    report.save(tmp_path / "r.json")
    read = json.loads((tmp_path / "r.json").read_text())
    assert read["raw_bytes"] == report.raw_bytes
    assert len(read["records"]) == report.plan.tasks
    report.save(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/png;base64,") == 4  # slices, and maps with histograms, of two levels
    assert 'src="http' not in page
    assert "copied: a label image" in page
    with pytest.raises(ConfigurationError, match=r"\.html or \.json"):
        report.save(tmp_path / "r.txt")


def test_progress_is_a_callback(tmp_path, source, bounded, client):
    calls = []
    tinc_codec.compress(
        source, tmp_path / "b.zarr", bounded, client=client, progress=lambda done, total: calls.append((done, total))
    )
    assert calls[-1] == (12, 12)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_a_written_chunk_is_lossless_if_asked_whatever_the_array_says(tmp_path, volume):
    from tinc_codec.hosts.zarr3 import losslessly

    for zarr_format in (2, 3):
        for shards in (None, (40, 50, 60)) if zarr_format == 3 else (None,):
            array = zarr.create_array(
                tmp_path / "a.zarr",
                shape=volume.shape,
                dtype=volume.dtype,
                chunks=(20, 50, 60),
                overwrite=True,
                **({"shards": shards} if shards else {}),
                **zarr_kwargs(TINCCodec(ratio=400, effort=1), zarr_format=zarr_format),
            )
            losslessly(array)[:] = volume
            assert (zarr.open_array(tmp_path / "a.zarr", mode="r")[:] == volume).all()
            assert zarr.open_array(tmp_path / "a.zarr", mode="r").metadata == array.metadata


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_relative_paths_and_links_name_the_same_store(tmp_path, source, volume, bounded, client, monkeypatch):
    (tmp_path / "link.zarr").symlink_to(source)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path)
    assert tinc_codec.compress("a.zarr", "b.zarr", bounded, client=client, **QUIET).done == 12
    monkeypatch.chdir(tmp_path / "inner")
    assert tinc_codec.compress("../a.zarr", "../b.zarr", bounded, client=client, **QUIET).reused == 12
    tinc_codec.compress("../link.zarr", None, bounded, client=client, **QUIET)
    assert (tmp_path / "link.zarr").is_symlink()
    assert compressed(source)
    assert close(zarr.open_array(tmp_path / "link.zarr", mode="r")[:], volume)


@pytest.mark.parametrize("target", [{"max_error": 20}, {"ratio": 8}])
@pytest.mark.parametrize("verify", [True, False])
def test_a_source_that_has_changed_is_noticed(tmp_path, volume, client, files, target, verify):
    codec = TINCCodec(effort=1, **target)
    given = volume.copy()
    given[:20, :, :] = 0  # chunks that are not stored at all
    zarr.create_array(tmp_path / "a.zarr", data=given, chunks=(20, 50, 60))
    settings = {"client": client, "verify": verify, **QUIET}
    assert tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", codec, **settings).done == 2
    before = files(tmp_path / "b.zarr")
    zarr.open_array(tmp_path / "a.zarr")[...] = volume[:, ::-1]
    with pytest.raises(SourceError, match=r"2 chunks, and had 1.*resume=False"):
        tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", codec, **settings)
    assert files(tmp_path / "b.zarr") == before
    again = tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", codec, resume=False, **settings)
    assert again.done == 2
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")[:]
    assert np.sqrt(np.mean((got.astype(float) - volume[:, ::-1]) ** 2)) < np.std(volume) / 2


def test_new_data_in_place_of_what_was_compressed_in_place_is_compressed_whole(tmp_path, volume, bounded, client):
    given = volume.copy()
    given[:16] = 0
    zarr.create_array(tmp_path / "a.zarr", data=given, chunks=(16, 32, 32))
    tinc_codec.compress(tmp_path / "a.zarr", None, bounded, client=client, **QUIET)
    zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=(16, 32, 32), overwrite=True)
    tinc_codec.compress(tmp_path / "a.zarr", None, bounded, client=client, **QUIET)
    assert compressed(tmp_path / "a.zarr")
    assert close(zarr.open_array(tmp_path / "a.zarr", mode="r")[:], volume)


def test_tasks_of_a_dask_source_do_not_carry_the_whole_graph(volume, tmp_path):
    da = pytest.importorskip("dask.array")
    from tinc_codec.hosts.regions import Regions
    from tinc_codec.jobs.sources import DaskSource
    from tinc_codec.jobs.work import Work

    lazy = DaskSource(da.from_array(volume, chunks=(10, 10, 10)) + 1)
    target = zarr.create_array(tmp_path / "a.zarr", shape=volume.shape, dtype="u2", chunks=(10, 10, 10))
    work = Work("", lazy, target, "encode", None, (10, 10, 10), Regions(volume.shape, (10, 10, 10)), "")
    assert len(work.packed) < 4000
