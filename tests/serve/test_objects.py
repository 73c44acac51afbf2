"""Stores that are no folders: in memory, in a zip file, over HTTP; all answer alike."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import zarr

from tests.serve.serving import ask, json_of, opened, same_bits, serving
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.errors import RequestError
from tinc_codec.serve import objects
from tinc_codec.serve.objects import objects_of

pytest.importorskip("aiohttp")

V = np.random.default_rng(0).normal(100, 10, (32, 16, 16)).astype("u2")
BOUNDED = TINCCodec(max_error=4, effort=1)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def fill(place):
    datasets = [{"path": "0"}, {"path": "shards"}]
    image = {"ome": {"version": "0.5", "multiscales": [{"axes": [{"name": n} for n in "zyx"], "datasets": datasets}]}}
    root = zarr.create_group(place, zarr_format=3, attributes=image)
    for name, settings in (("0", {}), ("shards", {"shards": (32, 16, 16)})):
        array = root.create_array(
            name,
            shape=V.shape,
            dtype="u2",
            chunks=(8, 16, 16),
            **{key: value for key, value in zarr_kwargs(BOUNDED).items() if key != "zarr_format"},
            **settings,
        )
        array[:16] = V[:16]
    root.create_array("plain", data=V, chunks=(32, 16, 16), compressors=None)


@pytest.fixture(params=["memory", "zip", "http"])
def place(request, tmp_path):
    """What the server is given, and the group that it is to serve."""
    memory = zarr.storage.MemoryStore()
    fill(memory)
    stored = zarr.open_group(memory, mode="r")
    if request.param == "memory":
        yield memory, stored
    elif request.param == "zip":
        with zarr.storage.ZipStore(tmp_path / "a.zip", mode="w") as store:
            fill(store)
        with zarr.storage.ZipStore(tmp_path / "a.zip", mode="r") as store:
            yield store, stored
    else:
        fill(tmp_path)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", stored
        server.shutdown()
        thread.join()
        server.server_close()


def test_stores_that_are_no_folders(place):
    given, stored = place
    with serving(given, "raw") as url:
        for name in ("0", "shards", "plain"):
            assert same_bits(opened(f"{url}/data.zarr/{name}")[:], stored[name][:])
        assert same_bits(opened(f"{url}/levels/0/image.zarr/0")[:], stored["0"][:])
        assert json_of(url, "/api/arrays")["images"][0]["array"] == "0"
        for path in ("0/c/0/0/0", "shards/c/1/0/0", "plain/c/0/0/0", "zarr.json"):
            status, headers, body = ask(url, f"/data.zarr/{path}")
            assert status == 200
            assert ask(url, f"/data.zarr/{path}", If_None_Match=headers["etag"])[0] == 304
            status, headers, part = ask(url, f"/data.zarr/{path}", Range="bytes=5-9")
            assert (status, part) == (206, body[5:10])
            assert headers["content-range"] == f"bytes 5-9/{len(body)}"
            assert ask(url, f"/data.zarr/{path}", Range=f"bytes={len(body)}-")[0] == 416
        for path in ("0/c/3/0/0", "shards/c/3/0/0", "plain/c/1/0/0", "nothing", "0/c/9/0/0"):
            assert ask(url, f"/data.zarr/{path}")[0] == 404


def test_documents_elsewhere_are_read_again_after_a_while(monkeypatch):
    store = zarr.storage.MemoryStore()
    fill(store)
    read = objects_of(store, "", 2**20).read
    before = read("0/zarr.json")
    now = objects.monotonic()
    zarr.open_array(store, path="0", mode="r+").attrs["a"] = 1
    monkeypatch.setattr(objects, "monotonic", lambda: now)
    assert read("0/zarr.json") == before
    monkeypatch.setattr(objects, "monotonic", lambda: now + 2 * objects.FRESH)
    assert read("0/zarr.json") != before


def test_parts_may_be_read_of_what_is_too_large(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(100)))
    found = objects_of(zarr.storage.LocalStore(tmp_path), "", 50)
    assert found.read("a", slice(40, 90)) == bytes(range(40, 90))
    for part in (None, slice(0, 51)):
        with pytest.raises(RequestError, match="at most 50"):
            found.read("a", part)
    assert found.read("b") is None
    assert found.size("b") is found.tag("b") is None


def test_a_tag_changes_with_the_file(tmp_path):
    found = objects_of(zarr.storage.LocalStore(tmp_path), "", 50)
    (tmp_path / "a").write_bytes(b"one")
    before = found.tag("a")
    assert found.tag("a") == before
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "b").replace(tmp_path / "a")
    assert found.tag("a") != before
