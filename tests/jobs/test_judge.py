"""What is done to each array of a source: the user's word, then metadata, then samples."""

import numpy as np
import pytest
import zarr

import tinc_codec
from tests.hosts.labels import objects
from tinc_codec import ConfigurationError, JobError, TINCCodec


@pytest.mark.parametrize("name", ["brain64", "cells", "embryo", "fibsem", "mni", "plant", "wholebrain", "wmag"])
def test_real_images_are_images(real, name, tmp_path):
    volume = real(name)
    edges = tuple(min(64 if axis >= volume.ndim - 3 else 1, n) for axis, n in enumerate(volume.shape))
    zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=edges)
    plan = tinc_codec.plan(tmp_path / "a.zarr", tmp_path / "b.zarr", TINCCodec(psnr=45), workers=1, samples=0)
    assert plan.arrays[0].copied is None
    mask = (volume > np.median(volume[volume > 0])).astype("u1")
    zarr.create_array(tmp_path / "m.zarr", data=mask, chunks=edges)
    plan = tinc_codec.plan(tmp_path / "m.zarr", tmp_path / "b.zarr", TINCCodec(psnr=45), workers=1, samples=0)
    assert "distinct values" in plan.arrays[0].copied


@pytest.fixture
def store(tmp_path, volume):
    root = zarr.create_group(tmp_path / "s.zarr")
    root.create_array("image", data=volume, chunks=(20, 25, 30))
    root.create_group("labels").create_array("cells", data=objects(), chunks=(16, 32, 32))
    root.create_array("times", data=np.arange(5000.0), chunks=(5000,))
    root.create_array("flags", data=volume > 200, chunks=(20, 25, 30))
    return tmp_path / "s.zarr"


def reasons(store, **settings):
    codec = TINCCodec(max_error=20, effort=1)
    plan = tinc_codec.plan(store, "x.zarr", codec, workers=1, samples=0, **settings)
    return {array.path: array.done for array in plan.arrays}


def test_the_user_has_the_last_word(store):
    assert reasons(store) == {
        "image": "compressed",
        "labels/cells": "copied: a label image: it lies in 'labels'",
        "times": "copied: a coordinate: it has one axis",
        "flags": "copied: dtype bool",
    }
    assert reasons(store, exact="im*")["image"] == "copied: asked for by exact='im*'"
    asked = reasons(store, exact=["image"], lossy=["labels/*", "times"])
    assert (asked["labels/cells"], asked["times"]) == ("compressed", "compressed")
    for settings, message in (
        ({"exact": "nothing"}, "matches no array; the arrays are flags, image, labels/cells, times"),
        ({"lossy": "flags"}, "dtype bool, which TINC cannot code"),
        ({"exact": "i*", "lossy": "*e"}, "both exact"),
        ({"exact": [3]}, "must be a pattern"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            reasons(store, **settings)
    assert "exact='/'" in reasons(store / "image", exact="/")[""]


def test_what_is_exact_is_made_smaller_where_the_user_asks(store, tmp_path, client):
    codec = TINCCodec(max_error=20, effort=1)
    settings = {"client": client, "progress": False}
    report = tinc_codec.compress(store, tmp_path / "t.zarr", codec, lossless=True, **settings)
    done = {array.path: array.done for array in report.plan.arrays}
    assert done["labels/cells"] == "compressed losslessly: a label image: it lies in 'labels'"
    assert done["flags"] == "copied: dtype bool"
    got = zarr.open_array(tmp_path / "t.zarr/labels/cells", mode="r")
    assert (got[:] == objects()).all()
    assert tinc_codec.hosts.zarr3.is_compressed(got.metadata.to_dict())
    sizes = {array.path: array.stored_bytes for array in report.arrays}
    assert sizes["labels/cells"] < zarr.open_array(store / "labels/cells").nbytes_stored()
    with pytest.raises(ConfigurationError, match="already compressed by TINC; export it first"):
        reasons(tmp_path / "t.zarr", lossy="image")


def test_labels_are_labels_whatever_part_of_a_store_is_named(tmp_path, volume):
    image = zarr.create_group(tmp_path / "i.zarr", attributes={"multiscales": [{"datasets": [{"path": "0"}]}]})
    image.create_array("0", data=volume, chunks=(20, 25, 30))
    values = np.random.default_rng(0).integers(0, 60_000, (32, 32, 32)).astype("u2")  # nothing but its place tells
    zarr.create_array(tmp_path / "i.zarr/labels/nuclei/0", data=values, chunks=(16, 32, 32))  # below plain folders
    for part, path in (("", "labels/nuclei/0"), ("labels/nuclei/0", "")):
        assert "label image" in reasons(tmp_path / "i.zarr" / part)[path]
    (tmp_path / "elsewhere").symlink_to(tmp_path / "i.zarr/labels/nuclei/0")
    assert "label image" in reasons(tmp_path / "elsewhere")[""]
    (tmp_path / "i.zarr/seg").symlink_to("labels/nuclei/0")
    assert "label image" in reasons(tmp_path / "i.zarr")["seg"]
    inside = zarr.open_group(tmp_path / "i.zarr", mode="r")
    zarr.create_group(tmp_path / "i.zarr/labels")
    assert "label image" in reasons(zarr.open_array(inside.store, path="labels/nuclei/0", mode="r"))[""]


def test_bounds_named_by_the_array_beside_a_source(tmp_path):
    root = zarr.create_group(tmp_path / "s.zarr")
    root.create_array("z", data=np.arange(3000.0), attributes={"bounds": "z_edges"})
    root.create_array("z_edges", data=np.random.default_rng(0).normal(size=(3000, 8)))
    assert "bounds" in reasons(tmp_path / "s.zarr/z_edges")[""]


def test_a_sparse_mask_is_found_wherever_it_is_set(tmp_path):
    mask = np.zeros((256, 64, 64), "u2")
    mask[250:, :8, :8] = np.arange(1, 9)[None, None]
    zarr.create_array(tmp_path / "m.zarr", data=mask, chunks=(16, 64, 64))
    assert "9 distinct values" in reasons(tmp_path / "m.zarr")[""]
    zarr.create_array(tmp_path / "n.zarr", shape=(64, 64, 64), chunks=(16, 64, 64), dtype="u2")
    assert reasons(tmp_path / "n.zarr")[""] == "compressed"  # nothing is stored, so that nothing can be lost


def test_patterns_on_the_command_line(store, tmp_path):
    from typer.testing import CliRunner

    from tinc_codec.cli.main import app

    run = CliRunner().invoke
    options = ["--dry-run", "--max-error", "20", "--workers", "1", "--exact", "image", "--lossy", "labels/*"]
    planned = run(app, ["compress", str(store), str(tmp_path / "x"), *options], env={"COLUMNS": "300"})
    assert planned.exit_code == 0, planned.output
    assert "asked" in planned.output
    wrong = run(app, ["compress", str(store), str(tmp_path / "x"), "--exact", "imag", "--dry-run"])
    assert wrong.exit_code != 0


def test_a_chunk_that_cannot_be_read_tells_nothing(tmp_path, volume):
    array = zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=(20, 50, 60))
    (tmp_path / "a.zarr/c/0/0/0").write_bytes(b"damaged" * 100_000)  # the largest of its chunks
    assert reasons(tmp_path / "a.zarr")[""] == "compressed"
    (tmp_path / "a.zarr/c/1/0/0").write_bytes(b"damaged")
    with pytest.raises(JobError, match=r"none can be read .*say exact='/' or lossy='/'"):
        reasons(tmp_path / "a.zarr")
    assert reasons(tmp_path / "a.zarr", exact="/")[""] == "copied: asked for by exact='/'"
    assert array.nchunks == 2


def test_labels_that_are_no_zarr_are_labels(tmp_path, volume, client):
    tifffile = pytest.importorskip("tifffile")
    da = pytest.importorskip("dask.array")
    tifffile.imwrite(tmp_path / "cells.tif", objects())
    lazy = da.from_array(objects(), chunks=(16, 32, 32))
    for name, given in (("t", tmp_path / "cells.tif"), ("d", lazy)):
        assert "names of objects" in reasons(given)["0" if name == "t" else ""]
        codec = TINCCodec(max_error=20, effort=1)
        tinc_codec.compress(given, tmp_path / f"{name}.zarr", codec, client=client, progress=False)
        opened = zarr.open(tmp_path / f"{name}.zarr", mode="r")
        assert ((opened["0"] if name == "t" else opened)[:] == objects()).all()
    assert reasons(da.from_array(volume, chunks=(20, 25, 30)))[""] == "compressed"


def test_labels_in_a_zip_file(tmp_path, volume):
    with zarr.storage.ZipStore(tmp_path / "s.zip", mode="w") as packed:
        root = zarr.create_group(packed)
        root.create_array("image", data=volume, chunks=(20, 25, 30))
        root.create_array("labels/cells", data=objects(), chunks=(16, 32, 32))
    with zarr.storage.ZipStore(tmp_path / "s.zip", mode="r") as packed:
        done = reasons(zarr.open_group(packed, mode="r"))
    assert (done["image"], "label image" in done["labels/cells"]) == ("compressed", True)
