import json

import pytest
import zarr

from tests.cli.command import tinc
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.phantom import light_sheet


@pytest.fixture(scope="module")
def stream():
    pytest.importorskip("torch")
    return TINCCodec(ratio=16, effort=1, levels=2, network_share=1).encode(light_sheet((16, 40, 48)))


def test_inspect_of_a_stream(tmp_path, stream):
    (tmp_path / "a.tinc").write_bytes(stream)
    result = tinc("inspect", tmp_path / "a.tinc")
    assert result.exit_code == 0, result.output
    for word in ("sine tree", "weights and biases at", "PSNR", "root mean square", "leaves of at most"):
        assert word in result.output
    (info,) = json.loads(tinc("inspect", "--json", tmp_path / "a.tinc").output)
    assert info["stored_bytes"] == len(stream) == sum(info["sections"].values())
    assert info["parameters"] == sum(level["parameters"] for level in info["levels"])
    assert info["ratio"] >= 16
    assert info["shape"] == [16, 40, 48]


def test_inspect_of_coefficients(tmp_path):
    stream = TINCCodec(ratio=16).encode(light_sheet((16, 40, 48)))
    (tmp_path / "a.tinc").write_bytes(stream)
    result = tinc("inspect", tmp_path / "a.tinc")
    assert result.exit_code == 0, result.output
    for word in ("detail", "10 bands", "step", "-2, -1 halved", "PSNR"):
        assert word in result.output
    (info,) = json.loads(tinc("inspect", "--json", tmp_path / "a.tinc").output)
    assert info["kind"] == "detail"
    assert sum(info["detail"]["bytes"].values()) < info["sections"]["detail"]


def test_inspect_of_a_store(tmp_path):
    data = light_sheet((16, 32, 32))
    arguments = zarr_kwargs(TINCCodec(ratio=16, effort=1))
    del arguments["zarr_format"]  # a group's arrays have the group's
    group = zarr.open_group(tmp_path / "g.zarr", mode="w")
    group.create_array("plain", data=data, chunks=(16, 16, 32), **arguments)
    group.create_array("sharded", data=data, chunks=(16, 16, 16), shards=(16, 32, 32), **arguments)
    infos = json.loads(tinc("inspect", "--json", tmp_path / "g.zarr").output)
    keys = [item["key"] for item in infos]
    assert len(keys) == 2 + 4
    assert keys[0] == "plain/c/0/0/0"
    assert "sharded/c/0/0/0#3" in keys
    text = tinc("inspect", tmp_path / "g.zarr").output
    assert "6 chunks" in text
    assert "The first of them:\nplain/c/0/0/0: 16x16x32 uint16" in text


def test_inspect_of_something_else(tmp_path):
    (tmp_path / "a").write_bytes(b"nothing")
    for path in (tmp_path / "a", tmp_path / "missing"):
        result = tinc("inspect", path)
        assert result.exit_code == 2
        assert "TINC stream" in result.output or "is not there" in result.output


def test_inspect_draws_beside_what_it_prints(tmp_path):
    (tmp_path / "a.tinc").write_bytes(TINCCodec(max_error=20, effort=1).encode(light_sheet((12, 40, 48))))
    result = tinc("inspect", tmp_path / "a.tinc", "--image", tmp_path / "a.png", "--json")
    assert json.loads(result.stdout)[0]["shape"] == [12, 40, 48]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
