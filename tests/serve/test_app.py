"""The application over HTTP: headers, conditions, paths that lead nowhere, load, and damage."""

import asyncio
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import pytest
import zarr

from tests.serve.serving import ask, json_of, raw, serving
from tests.serve.test_paths import OUTSIDE
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.serve import chunks as decoding
from tinc_codec.serve.answers import Answer
from tinc_codec.serve.app import Outgoing, Sent

V = np.random.default_rng(0).normal(100, 10, (32, 16, 16)).astype("u2")
LOSSLESS = TINCCodec(max_error=0)
CHUNK = "/data.zarr/tinc/c/0/0/0"


def create(folder):
    """A store beside files that are not its own."""
    place = folder / "store.zarr"
    zarr.create_group(place, zarr_format=3)
    for name, settings in (("tinc", zarr_kwargs(LOSSLESS)), ("plain", {"compressors": None})):
        zarr.create_array(place / name, data=V, chunks=(8, 16, 16), **settings)
    zarr.create_array(place / "shards", data=V, chunks=(8, 16, 16), shards=(32, 16, 16), **zarr_kwargs(LOSSLESS))
    (folder / "secret").write_text("secret")
    (place / ".hidden").write_text("secret")
    (place / "tinc" / "note.txt").write_text("a note")
    return place


@pytest.fixture
def store(tmp_path):
    """For tests that change it, or how it is served."""
    return create(tmp_path)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A server of another one, which stays as it is."""
    with serving(create(tmp_path_factory.mktemp("serve")), "raw") as served:
        yield served


@pytest.mark.parametrize("path", [CHUNK, "/data.zarr/plain/c/0/0/0", "/data.zarr/tinc/zarr.json"])
def test_conditions_and_ranges(url, path):
    status, headers, body = ask(url, path)
    assert status == 200
    assert headers["accept-ranges"] == "bytes"
    assert int(headers["content-length"]) == len(body)
    tag = headers["etag"]
    assert tag.startswith('"')  # strong
    for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        status, again, nothing = ask(url, path, If_None_Match=known)
        assert (status, again["etag"], nothing) == (304, tag, b"")
    assert ask(url, path, If_None_Match='"x"')[2] == body
    for part, piece in (("0-9", slice(0, 10)), ("5-", slice(5, None)), ("-7", slice(-7, None))):
        status, headers, some = ask(url, path, Range=f"bytes={part}")
        assert (status, some, headers["etag"]) == (206, body[piece], tag)
        start, stop, _ = piece.indices(len(body))
        assert headers["content-range"] == f"bytes {start}-{stop - 1}/{len(body)}"
    status, headers, nothing = ask(url, path, Range=f"bytes={len(body)}-")
    assert (status, headers["content-range"], nothing) == (416, f"bytes */{len(body)}", b"")
    assert ask(url, path, Range="bytes=0-1", If_Range=tag)[0] == 206
    assert ask(url, path, Range="bytes=0-1", If_Range='"x"')[2] == body
    assert ask(url, path, Range="bytes=0-1,3-4")[2] == body


@pytest.mark.parametrize("path", [CHUNK, "/data.zarr/plain/c/0/0/0", "/data.zarr/zarr.json", "/", "/data.zarr/no"])
def test_head_says_what_get_would(url, path):
    status, headers, body = ask(url, path)
    head_status, head, nothing = ask(url, path, "HEAD")
    assert (head_status, nothing) == (status, b"")
    assert {**head, "date": ""} == {**headers, "date": ""}
    assert int(head["content-length"]) == len(body)


def test_pages_of_other_sites_may_read(url):
    _, headers, _ = ask(url, CHUNK, Origin="https://viewer.example")
    assert headers["access-control-allow-origin"] == "*"
    assert {"ETag", "Content-Range"} <= set(headers["access-control-expose-headers"].split(", "))
    asked = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "range,if-none-match"}
    private = {"Access_Control_Request_Private_Network": "true"}
    status, headers, _ = ask(url, CHUNK, "OPTIONS", Origin="https://viewer.example", **asked, **private)
    assert status == 200
    assert headers["access-control-allow-private-network"] == "true"
    assert "range" in headers["access-control-allow-headers"]
    assert ask(url, "/data.zarr/no", Origin="https://viewer.example")[1]["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "PROPFIND"])
def test_nothing_can_be_written(url, method):
    assert ask(url, CHUNK, method)[0] == 405


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("prefix", [b"/data.zarr", b"/levels", b"/view", b"/api/chunk"])
def test_no_path_leaves_the_store(url, prefix, path):
    assert raw(url, b"GET " + prefix + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") in (400, 404)


def test_hidden_files_and_neighbours_are_not_served(url):
    for path in ("/data.zarr/.hidden", "/data.zarr/../secret", "/secret", "/data.zarr", "/data"):
        assert ask(url, path)[0] == 404
    assert b"hidden" not in ask(url, "/data.zarr/")[2]
    assert ask(url, "/data.zarr/tinc/note.txt")[2] == b"a note"


def test_links_that_lead_out_are_refused_and_not_said_to_be_missing(store, tmp_path):
    (store / "file").symlink_to(tmp_path / "secret")
    (store / "folder").symlink_to(tmp_path)
    (store / "within").symlink_to(store / "tinc")
    (store / "loop").symlink_to("loop")
    chunk = store / "tinc" / "c" / "0" / "0" / "0"
    chunk.replace(tmp_path / "chunk")
    chunk.symlink_to(tmp_path / "chunk")
    with serving(store) as url:
        for path in ("file", "folder/secret", "tinc/c/0/0/0", "within/c/0/0/0"):
            status, _, body = ask(url, f"/data.zarr/{path}")
            assert status == 403
            assert b"a link out of the store" in body
        assert ask(url, "/data.zarr/within/c/1/0/0")[0] == 200
        assert ask(url, "/data.zarr/loop")[0] == 404
        images = {image["path"]: image.get("error", "") for image in json_of(url, "/api/arrays")["images"]}
    assert images.keys() == {"file", "folder", "within", "tinc", "plain", "shards"}
    assert "a link out of the store" in images["folder"]


@pytest.mark.parametrize("damage", ["flipped", "cut off", "empty", "another chunk", "cut shard", "no index"])
def test_damage_is_an_error_that_is_logged_and_never_data(store, caplog, damage):
    path = store / ("shards" if "shard" in damage or "index" in damage else "tinc") / "c" / "0" / "0" / "0"
    stored = path.read_bytes()
    flipped = bytes([*stored[:-20], stored[-20] ^ 1, *stored[-19:]])
    other = zarr.create_array(store.parent / "other", data=V[:8, :8], **zarr_kwargs(LOSSLESS))
    assert other.nchunks == 1
    damaged = {
        "flipped": flipped,
        "cut off": stored[:-10],
        "empty": b"",
        "another chunk": (store.parent / "other" / "c" / "0" / "0" / "0").read_bytes(),
        "cut shard": stored[: len(stored) // 2] + stored[-68:],
        "no index": stored[:10],
    }
    path.write_bytes(damaged[damage])
    number = 3 if damage == "cut shard" else 0
    with caplog.at_level(logging.ERROR, "tinc_codec.serve"), serving(store) as url:
        status, headers, body = ask(url, f"/data.zarr/{path.relative_to(store).parts[0]}/c/{number}/0/0")
    assert status == 500
    assert headers["content-type"] == "application/json"
    assert "etag" not in headers
    assert len(body) < 2000
    assert "c/" in caplog.text


def test_metadata_that_are_damaged_are_an_error(store):
    (store / "tinc" / "zarr.json").write_text("{")
    with serving(store) as url:
        for path in ("/data.zarr/tinc/zarr.json", CHUNK):
            status, _, body = ask(url, path)
            assert status == 500
            assert b"tinc/zarr.json is not JSON" in body
        (damaged,) = (image for image in json_of(url, "/api/arrays")["images"] if "error" in image)
        assert damaged["path"] == "tinc"


def test_chunks_and_objects_that_are_too_large_are_refused(store):
    with serving(store, "raw", chunk=V[:8].nbytes - 1) as url:
        for path in (CHUNK, "/data.zarr/plain/c/0/0/0"):
            status, _, body = ask(url, path)
            assert status == 507
            assert b"--max-chunk" in body
        assert ask(url, "/data.zarr/plain/c/0/0/0", Range="bytes=0-9")[0] == 206
    with serving(store, "raw", chunk=V[:8].nbytes) as url:
        assert ask(url, CHUNK)[0] == 200


@pytest.fixture
def decoded(monkeypatch):
    """Which chunks were decoded, and a gate that they wait at."""
    calls, gate = [], threading.Event()
    decode = decoding.TincArray.decode

    def watched(self, stored):
        calls.append(stored)
        assert gate.wait(60)
        return decode(self, stored)

    monkeypatch.setattr(decoding.TincArray, "decode", watched)
    gate.set()
    return calls, gate


def test_what_was_encoded_is_kept_within_its_bytes(store, decoded):
    calls, _ = decoded
    paths = [f"/data.zarr/tinc/c/{i}/0/0" for i in range(4)]
    with serving(store, "raw", cache=2 * V[:8].nbytes + 2000) as url:
        for path in (*paths[:2], *paths[:2], *paths[:2]):
            ask(url, path)
        assert len(calls) == 2
        for path in (*paths, *paths):
            ask(url, path)
        assert len(calls) == 2 + 2 + 4
    with serving(store, "raw", cache=0) as url:
        tag = ask(url, CHUNK)[1]["etag"]
        ask(url, CHUNK)
        assert len(calls) == 10
        assert ask(url, CHUNK, If_None_Match=tag)[0] == 304
        assert len(calls) == 10


def wait_for(condition):
    for _ in range(6000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen within a minute")


def test_many_clients_of_one_chunk_have_it_decoded_once(store, decoded):
    calls, gate = decoded
    gate.clear()
    with serving(store, "raw") as url, ThreadPoolExecutor(32) as clients:
        answers = [clients.submit(ask, url, CHUNK) for _ in range(32)]
        wait_for(lambda: calls)
        gate.set()
        assert {(a.result()[0], a.result()[2]) for a in answers} == {(200, V[:8].tobytes())}
    assert len(calls) == 1


def test_too_many_requests_are_told_to_come_back(store, decoded):
    calls, gate = decoded
    gate.clear()
    with serving(store, "raw", requests=3) as url, ThreadPoolExecutor(8) as clients:
        first = [clients.submit(ask, url, f"/data.zarr/tinc/c/{i}/0/0") for i in range(3)]
        wait_for(lambda: calls)
        refused = []

        def is_full():
            refused.append(ask(url, f"{CHUNK[:-5]}3/0/0"))
            return refused[-1][0] == 503

        later = clients.submit(wait_for, is_full)
        wait_for(later.done)
        gate.set()
        assert [answer.result()[0] for answer in first] == [200] * 3
        assert refused[-1][1]["retry-after"] == "1"
        assert ask(url, f"{CHUNK[:-5]}3/0/0")[0] == 200


def test_a_client_that_goes_away_stops_nobody_else(store, decoded):
    calls, gate = decoded
    gate.clear()
    with serving(store, "raw") as url, ThreadPoolExecutor(2) as clients:
        host, port = urlsplit(url).netloc.split(":")
        leaving = socket.create_connection((host, int(port)))
        leaving.sendall(f"GET {CHUNK} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for(lambda: calls)
        staying = clients.submit(ask, url, CHUNK)
        leaving.close()
        gate.set()
        assert staying.result()[2] == V[:8].tobytes()
        assert ask(url, CHUNK)[0] == 200


def test_answers_go_out_in_pieces_and_count_until_they_are_taken():
    outgoing, sent = Outgoing(10**9), []

    async def send(message):
        sent.append((message, outgoing.nbytes))

    body = bytes(range(256)) * 4096
    asyncio.run(Sent(Answer(200, body), outgoing, head=False)({"type": "http"}, None, send))
    assert b"".join(message.get("body", b"") for message, _ in sent) == body
    assert {nbytes for _, nbytes in sent} == {len(body)}
    assert max(len(message.get("body", b"")) for message, _ in sent) <= 2**18
    assert outgoing.nbytes == 0


def test_no_more_is_sent_at_once_than_is_allowed(store):
    with serving(store, "raw", outgoing=V[:8].nbytes - 1) as url:
        assert ask(url, CHUNK)[0] == 503
        assert ask(url, CHUNK, Range="bytes=0-9")[0] == 206
        assert ask(url, "/data.zarr/no")[0] == 404
