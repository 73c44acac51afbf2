"""Servers in threads of this process, and clients that know nothing of us."""

import http.client
import json
import socket
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("PIL")

from tinc_codec.serve.codecs import ServedCodec
from tinc_codec.serve.limits import Limits
from tinc_codec.serve.server import Address, Server


@contextmanager
def serving(store, codec="blosc", **limits):
    """The URL of a server of a store, without a slash at its end."""
    server = Server(store, ServedCodec(codec), Address(), Limits(**limits))
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield server.url.rstrip("/")
    finally:
        server.stop()
        thread.join()


def ask(url, path, method="GET", **headers):
    """Status, headers (with small letters) and body of an answer; the path goes out as it is."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def json_of(url, path):
    status, _, body = ask(url, path)
    assert status == 200, body
    return json.loads(body)


def raw(url, request):
    """The status of an answer to bytes that no client would send."""
    host, port = urlsplit(url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        return int(connection.makefile("rb").readline().split()[1])


def opened(url, **settings):
    """A node as zarr opens it over HTTP."""
    return zarr.open(FsspecStore.from_url(url, read_only=True), mode="r", **settings)


def codecs_of(document):
    """Names of all codecs that a document of an array names."""
    if document["zarr_format"] == 2:
        chain = [document["compressor"], *(document["filters"] or [])]
        return {codec["id"] for codec in chain if codec is not None}
    return {codec["name"] for codec in document["codecs"]}


def same_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return (
        a.shape == b.shape
        and a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")
        and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    )
