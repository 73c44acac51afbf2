"""Stores that cannot be listed: their metadata name what they hold."""

import logging
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore, StorePath

import tinc_codec
from tests.jobs.results import BOUND, CODEC, compress
from tinc_codec import ConfigurationError
from tinc_codec.jobs.discovery import discover
from tinc_codec.jobs.objects import write_objects

pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")


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
    paths = ["0", "1", "2", *(f"labels/cells/{level}" for level in "012")]
    assert sorted(array.path for array in report.arrays) == paths
    done = {array.path: array.done for array in report.plan.arrays}
    assert "label image" in done["labels/cells/0"]
    got, was = (zarr.open_group(place, mode="r") for place in (tmp_path / "t.zarr", image))
    assert (got["labels/cells/0"][:] == was["labels/cells/0"][:]).all()
    assert np.abs(got["0"][:].astype(int) - volume).max() <= BOUND
    alone = tinc_codec.plan(f"{served}/image.zarr/labels/cells/0", "x", CODEC, workers=1, samples=0)
    assert "label image" in alone.arrays[0].copied


def test_what_http_cannot_tell_is_an_error(served, older, tmp_path, volume, client):
    with pytest.raises(ConfigurationError, match="cannot be listed"):
        compress(f"{served}/s.zarr", tmp_path / "t.zarr", client)
    zarr.consolidate_metadata(older)
    compress(f"{served}/s.zarr", tmp_path / "t.zarr", client)
    assert np.abs(zarr.open_array(tmp_path / "t.zarr/image", mode="r")[:].astype(int) - volume).max() <= BOUND
    shutil.rmtree(older / "image")
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


def image(*paths):
    return {"ome": {"multiscales": [{"datasets": [{"path": path} for path in paths]}]}}


def test_what_metadata_name_is_followed_from_group_to_group():
    store = MemoryStore()
    root = zarr.create_group(store, attributes=image("0", "fine/1"))
    root.create_group("labels", attributes={"ome": {"labels": ["ä"]}})
    root.create_group("labels/ä", attributes=image("0", "."))
    for path in ("0", "fine/1", "labels/ä/0", "nobody/names/it"):
        root.create_array(path, shape=(4,), dtype="u1")
    nodes, foreign, consolidated = discover(StorePath(store))
    assert set(nodes) == {"", "0", "fine/1", "labels", "labels/ä", "labels/ä/0"}
    assert (foreign, consolidated) == ((), {})


def test_images_of_a_collection_are_numbered_and_end_with_the_first_that_is_not_there():
    store = MemoryStore()
    zarr.create_group(store, attributes={"ome": {"bioformats2raw.layout": 3}})
    for number in range(3):
        zarr.create_group(StorePath(store, str(number)), attributes=image("0"))
        zarr.create_array(StorePath(store, f"{number}/0"), shape=(4,), dtype="u1")
    write_objects(StorePath(store), {"OME/METADATA.ome.xml": b"<OME/>"})
    nodes, foreign, _ = discover(StorePath(store))
    assert {path for path in nodes if path.isdecimal()} == {"0", "1", "2"}
    assert foreign == ("OME/METADATA.ome.xml",)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_consolidated_metadata_name_what_is_there(zarr_format):
    store = MemoryStore()
    root = zarr.create_group(StorePath(store, "x"), zarr_format=zarr_format)
    root.create_group("a").create_array("0", shape=(4,), dtype="u1")
    zarr.consolidate_metadata(store, path="x")
    nodes, _, consolidated = discover(StorePath(store, "x"))
    assert set(nodes) == {"", "a", "a/0"}
    assert set(consolidated) == {""}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "..", "a//b", "/x"])
def test_paths_that_lead_elsewhere_are_refused_by_name(path):
    store = MemoryStore()
    zarr.create_group(StorePath(store, "in"), attributes=image("0", path)).create_array("0", shape=(4,), dtype="u1")
    with pytest.raises(ConfigurationError, match=r"is named by metadata of .*, and is not (there|in it)") as refusal:
        discover(StorePath(store, "in"))
    assert "\n" not in str(refusal.value)
