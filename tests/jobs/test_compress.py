"""Jobs from end to end: what comes out, what is done again, and what is refused."""

import logging
import os

import numpy as np
import pytest
import zarr

import tinc_codec
from tests.jobs.results import QUIET, close, compressed
from tinc_codec import ConfigurationError, TINCCodec


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
        assert 0.9 * report.plan.expected_bytes < report.stored_bytes <= report.plan.expected_bytes  # with padding


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
