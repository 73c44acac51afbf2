"""Nothing of a store is lost, and nothing but images is changed: to a new place and in place."""

import logging
import shutil
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinc_codec
from tests.jobs import stores
from tinc_codec import ConfigurationError, JobError, TINCCodec

BOUND = 20
CODEC = TINCCodec(max_error=BOUND, effort=1)
pytestmark = pytest.mark.filterwarnings(
    "ignore:Consolidated metadata is currently not part", "ignore:Object at", "ignore:.*both.*zarr.json"
)


def assert_kept(before, after, expected):
    samples, attributes, files, consolidated = before
    new_samples, new_attributes, new_files, new_consolidated = after
    assert new_consolidated == consolidated
    assert set(new_attributes) == set(attributes)
    assert new_attributes == attributes
    assert {key for key in files if not key.endswith(".zarray")} <= set(new_files)
    for key, data in files.items():
        if not key.endswith(".zarray") or not any(key == f"{path}/.zarray" for path in expected.images):
            assert new_files[key] == data, key
    for path, (data, zarr_format, chunks, attrs) in samples.items():
        got, new_format, new_chunks, new_told = new_samples[path]
        assert (new_format, new_chunks, new_told, got.dtype) == (zarr_format, chunks, attrs, data.dtype)
        if path in expected.images:
            assert np.abs(got.astype("f8") - data.astype("f8")).max(initial=0) <= BOUND
        else:
            assert got.tobytes() == data.tobytes(), path


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    root_format=st.sampled_from([2, 3]),
    placed=stores.arrays,
    described=stores.groups,
    others=stores.extras,
    consolidated=stores.consolidations,
    in_place=st.booleans(),
    seed=st.integers(0, 99),
)
def test_random_stores(client, root_format, placed, described, others, consolidated, in_place, seed):
    with tempfile.TemporaryDirectory() as folder:
        source, new = Path(folder) / "s.zarr", Path(folder) / "t.zarr"
        expected = stores.build(source, root_format, placed, described, others, consolidated, seed)
        before = stores.content(source, expected)
        report = tinc_codec.compress(source, None if in_place else new, CODEC, client=client, progress=False)
        assert_kept(before, stores.content(source if in_place else new, expected), expected)
        if not in_place:
            assert_kept(
                before, stores.content(source, expected), stores.Expected(set(), expected.images | expected.exact)
            )
        assert report.account.unaccounted == ()
        assert {array.path for array in report.arrays if array.copied is None} == expected.images


@pytest.fixture
def store(tmp_path, volume):
    root = zarr.create_group(tmp_path / "s.zarr", zarr_format=2)
    root.create_array("image", data=volume, chunks=(20, 25, 30))
    return tmp_path / "s.zarr"


def compress(store, destination, client, **settings):
    return tinc_codec.compress(store, destination, CODEC, client=client, progress=False, **settings)


def test_files_count_where_consolidated_metadata_are_stale(store, volume, client, caplog, tmp_path):
    zarr.consolidate_metadata(store)
    group = zarr.open_group(store, mode="a", use_consolidated=False)
    group["image"].append(volume[:20])
    group["image"].attrs["frames"] = 60
    group.create_array("later", data=volume, chunks=(20, 25, 30))
    compress(store, None, client)
    assert "say otherwise than the files" in caplog.text
    assert "later/.zarray" in caplog.text
    got = zarr.open_group(store, mode="r")  # by consolidated metadata, which are right now
    assert got["image"].shape == (60, 50, 60)
    assert got["image"].attrs["frames"] == 60
    assert np.abs(got["later"][:].astype(int) - volume).max() <= BOUND
    caplog.clear()
    compress(store, tmp_path / "t.zarr", client)
    assert "otherwise" not in caplog.text


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_only_what_was_consolidated_is(tmp_path, volume, client, zarr_format):
    root = zarr.create_group(tmp_path / "s.zarr", zarr_format=zarr_format)
    root.create_group("well/field").create_array("0", data=volume, chunks=(20, 25, 30))
    root.create_group("other").create_array("0", data=volume, chunks=(20, 25, 30))
    zarr.consolidate_metadata(tmp_path / "s.zarr", path="well")
    compress(tmp_path / "s.zarr", tmp_path / "t.zarr", client)
    inventory = tinc_codec.jobs.inventory.take_inventory(zarr.open_group(tmp_path / "t.zarr", mode="r").store_path)
    assert set(inventory.consolidated) == {"well"}
    opened = zarr.open_consolidated(tmp_path / "t.zarr", path="well")
    assert np.abs(opened["field/0"][:].astype(int) - volume).max() <= BOUND


def test_links_are_followed_or_refused_by_name(store, volume, client, tmp_path):
    zarr.create_array(tmp_path / "far.zarr", data=volume, chunks=(20, 25, 30))
    (store / "near").symlink_to("image")
    (store / "far").symlink_to(tmp_path / "far.zarr")
    compress(store, None, client)
    for name in ("near", "far", "image"):
        assert not (store / name).is_symlink()
        assert np.abs(zarr.open_array(store / name, mode="r")[:].astype(int) - volume).max() <= BOUND
    assert (zarr.open_array(tmp_path / "far.zarr", mode="r")[:] == volume).all()
    for name, aim, message in (("gone", "nowhere", "which is not there"), ("loop", ".", "which it lies in")):
        (store / name).symlink_to(aim)
        with pytest.raises(ConfigurationError, match=message):
            compress(store, tmp_path / "x.zarr", client)
        (store / name).unlink()
    assert not (tmp_path / "x.zarr").exists()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("image/.zarray", "{", "is not JSON"),
        ("image/.zarray", "[]", "not a JSON object"),
        ("image/zarr.json", '{"zarr_format": 3, "node_type": "array"}', "described twice"),
        ("image/.zgroup", '{"zarr_format": 2}', "described twice"),
        ("zarr.json", '{"zarr_format": 4, "node_type": "group"}', "neither an array nor a group"),
        ("image/2.0.0", "a frame that is in no metadata", "none of its grid"),
        ("image/0/0/0", "a chunk by another separator", "none of its grid"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(store, client, tmp_path, file, text, message):
    (store / file).parent.mkdir(parents=True, exist_ok=True)
    (store / file).write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        compress(store, tmp_path / "t.zarr", client)
    assert not (tmp_path / "t.zarr").exists()


def test_arrays_that_zarr_cannot_open_are_named_and_copied(tmp_path, volume, client):
    rng = np.random.default_rng(0)
    expected = stores.build(
        tmp_path / "s.zarr", 3, [("", "image", 3, None)], {}, {"unknown codec", "chunks of 0"}, "no", 0
    )
    report = compress(tmp_path / "s.zarr", tmp_path / "t.zarr", client)
    done = {array.path: array.done for array in report.plan.arrays}
    assert "nobody_knows" in done["strange/unknown_codec"]
    assert "chunks of 1 or more" in done["strange/chunks_of_0"]
    assert report.account.others == 4
    for name in ("strange/unknown_codec/0.0", "strange/chunks_of_0/.zarray"):
        assert (tmp_path / "t.zarr" / name).read_bytes() == (tmp_path / "s.zarr" / name).read_bytes()
    with pytest.raises(ConfigurationError, match=r"strange/.*leave it out"):
        compress(tmp_path / "s.zarr", tmp_path / "u.zarr", client, zarr_format=3)
    with pytest.raises(ConfigurationError, match=r"strange/unknown_codec.*cannot be opened"):
        compress(tmp_path / "s.zarr/strange/unknown_codec", tmp_path / "u.zarr", client)
    assert rng is not None
    assert expected.images == {"image0"}


def test_what_appears_while_a_job_runs_refuses_the_swap(store, volume, client, files):
    def appear(done, total):
        if done == 1 and not (store / "new").exists():
            zarr.create_array(store / "new", data=volume, chunks=(20, 25, 30), zarr_format=2)

    with pytest.raises(JobError, match="has changed since the job was planned: new is new"):
        tinc_codec.compress(store, None, CODEC, client=client, progress=appear)
    assert (zarr.open_array(store / "image", mode="r")[:] == volume).all()
    compress(store, None, client, resume=False)
    assert np.abs(zarr.open_array(store / "new", mode="r")[:].astype(int) - volume).max() <= BOUND


def test_what_came_between_two_runs_comes_along(store, volume, client, tmp_path):
    compress(store, tmp_path / "t.zarr", client)
    (store / "notes.txt").write_text("new")
    zarr.open_array(store / "image").attrs["unit"] = "um"
    report = compress(store, tmp_path / "t.zarr", client)
    assert report.done == 0
    assert (tmp_path / "t.zarr/notes.txt").read_text() == "new"
    assert dict(zarr.open_array(tmp_path / "t.zarr/image", mode="r").attrs) == {"unit": "um"}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *given):
        pass

    def list_directory(self, path):
        self.send_error(404)


@pytest.fixture
def served(tmp_path):
    """Serve a folder over HTTP, without listings; gives its address."""
    pytest.importorskip("aiohttp")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_image_over_http_is_found_by_its_metadata(served, ome, tmp_path, volume, client, version):
    image = ome(version)
    for level in "12":  # the labels' metadata name them
        keys = {"chunk_key_encoding": {"name": "v2", "separator": "/"}} if version == "0.4" else {}
        zarr.open_group(image / "labels/cells").create_array(level, data=volume[::2], chunks=(16, 32, 32), **keys)
    report = compress(f"{served}/image.zarr", tmp_path / "t.zarr", client)
    assert sorted(array.path for array in report.arrays) == [
        "0",
        "1",
        "2",
        *(f"labels/cells/{level}" for level in "012"),
    ]
    done = {array.path: array.done for array in report.plan.arrays}
    assert "label image" in done["labels/cells/0"]
    got, was = (zarr.open_group(place, mode="r") for place in (tmp_path / "t.zarr", image))
    assert (got["labels/cells/0"][:] == was["labels/cells/0"][:]).all()
    assert np.abs(got["0"][:].astype(int) - volume).max() <= BOUND
    alone = tinc_codec.plan(f"{served}/image.zarr/labels/cells/0", "x", CODEC, workers=1, samples=0)
    assert "label image" in alone.arrays[0].copied


def test_what_http_cannot_tell_is_an_error(served, store, tmp_path, volume, client):
    with pytest.raises(ConfigurationError, match="cannot be listed"):
        compress(f"{served}/s.zarr", tmp_path / "t.zarr", client)
    zarr.consolidate_metadata(store)
    compress(f"{served}/s.zarr", tmp_path / "t.zarr", client)
    assert np.abs(zarr.open_array(tmp_path / "t.zarr/image", mode="r")[:].astype(int) - volume).max() <= BOUND
    shutil.rmtree(store / "image")
    with pytest.raises(ConfigurationError, match=r"is named by metadata of .* and is not there"):
        compress(f"{served}/s.zarr", tmp_path / "u.zarr", client)


def test_series_and_wells_over_http(served, tmp_path, volume, client, caplog):
    caplog.set_level(logging.WARNING)
    field = {"multiscales": [{"datasets": [{"path": "0"}]}]}
    root = zarr.create_group(tmp_path / "p.zarr", attributes={"ome": {"plate": {"wells": [{"path": "A/1"}]}}})
    well = root.create_group("A/1", attributes={"ome": {"well": {"images": [{"path": "0"}, {"path": "1"}]}}})
    series = zarr.create_group(tmp_path / "r.zarr", attributes={"ome": {"bioformats2raw.layout": 3}})
    for group in (well, series):
        for name in "01":
            group.create_group(name, attributes={"ome": field}).create_array("0", data=volume, chunks=(20, 25, 30))
    (tmp_path / "r.zarr/OME").mkdir()
    (tmp_path / "r.zarr/OME/METADATA.ome.xml").write_text("<OME/>")
    for name, paths in (("p.zarr", ["A/1/0/0", "A/1/1/0"]), ("r.zarr", ["0/0", "1/0"])):
        report = compress(f"{served}/{name}", tmp_path / f"new-{name}", client)
        assert [array.path for array in report.arrays] == paths
    assert (tmp_path / "new-r.zarr/OME/METADATA.ome.xml").read_text() == "<OME/>"
