"""`tinc serve` as a process of its own: what it prints, how it ends, and what it says no to."""

import re
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import zarr
from typer.testing import CliRunner

from tests.serve.serving import ask, json_of
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.cli.main import app


def tinc(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def store(tmp_path):
    data = np.arange(4096, dtype="u2").reshape(16, 16, 16)
    zarr.create_array(tmp_path / "a.zarr", data=data, **zarr_kwargs(TINCCodec(max_error=0)))
    return tmp_path / "a.zarr"


def test_it_says_where_it_is_and_ends_with_ctrl_c(store):
    command = [sys.executable, "-m", "tinc_codec.cli", "serve", str(store), "--codec", "raw"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        url = re.match(r"page: (http://127\.0\.0\.1:\d+)/ .*: \1/data\.zarr$", line)[1]
        assert json_of(url, "/api/arrays")["images"][0]["shape"] == [16, 16, 16]
        status, headers, body = ask(url, "/data.zarr/c/0/0/0")
        assert (status, body) == (200, np.arange(4096, dtype="<u2").tobytes())
        assert "server" not in headers
        assert "<title>" in ask(url, "/")[2].decode()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "stopped"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--codec", "lz4"], "codec='lz4' is not known; known are blosc, raw"),
        (["--port", "70000"], "port=70000 must be an int from 0 to 65535"),
        (["--host", "192.0.2.1"], "give another, or port 0 for any that is free"),
        (["--max-chunk", "0"], "must be an int from 1"),
        (["--max-requests", "0"], "must be an int from 1"),
    ],
)
def test_wrong_settings_are_explained_in_a_line(store, arguments, message):
    result = tinc("serve", store, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_port_that_is_taken_and_a_store_that_is_none(store, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = tinc("serve", store, "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "cannot be listened on" in result.output
    result = tinc("serve", tmp_path / "nothing.zarr")
    assert result.exit_code == 2
    assert "no Zarr array or group" in " ".join(result.output.split())


def test_without_the_extra_it_says_what_to_install(store, monkeypatch):
    monkeypatch.delitem(sys.modules, "tinc_codec.serve.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = tinc("serve", store)
    assert result.exit_code == 2
    assert "pip install 'tinc-codec[serve]'" in " ".join(result.output.split())


def test_whoever_listens_beyond_this_machine_is_told(store, monkeypatch):
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
    assert "can read" not in tinc("serve", store).output
    assert "whoever reaches 0.0.0.0 can read" in " ".join(tinc("serve", store, "--host", "0.0.0.0").output.split())
