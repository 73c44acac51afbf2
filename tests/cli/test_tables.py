import io
import json

import numpy as np
import pytest
from rich.console import Console

from tests.models import random_detail, random_stream
from tinc_codec import TINCCodec
from tinc_codec.cli.tables import as_json, print_store, print_stream
from tinc_codec.decoding.inspect import inspect

RNG = np.random.default_rng(8)
STREAMS = {
    "tree": random_stream(RNG, (15, 16, 17), "u2"),
    "detail": random_detail(RNG, (20, 22), "i2", "C"),
    "both": random_detail(RNG, (16, 12, 14), "f4", "F", above=True),
    "residual": TINCCodec(max_error=3, effort=1).encode(RNG.integers(0, 99, (20, 20)).astype("u1")),
    "exact": TINCCodec(max_error=0).encode(np.zeros((4, 5), "i4")),
}


def printed(function, *arguments):
    console = Console(file=io.StringIO(), width=160)
    function(console, *arguments)
    return console.file.getvalue()


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_is_told_with_its_sections(kind):
    info = inspect(STREAMS[kind])
    text = printed(print_stream, "c/0/0", info)
    assert f"c/0/0: format version {info.version}, {info.kind}" in text
    assert f"{info.stored_bytes:,}" in text
    for name, size in info.sections.items():
        assert name in text
        assert f"{size:,}" in text
    assert ("tree:" in text) == bool(info.levels)
    assert ("bands in" in text) == (info.detail is not None)
    assert ("quality at encoding" in text) == (info.quality is not None)


def test_a_store_is_told_chunk_by_chunk():
    infos = [(name, inspect(stream)) for name, stream in STREAMS.items()]
    text = printed(print_store, infos)
    assert "5 chunks" in text
    for name, info in infos:
        line = next(line for line in text.splitlines() if name in line.split())
        assert f"{info.stored_bytes:,}" in line


@pytest.mark.parametrize("kind", STREAMS)
def test_json_says_the_same(kind):
    info = inspect(STREAMS[kind])
    shown = json.loads(json.dumps(as_json(info), allow_nan=False))
    assert shown["stored_bytes"] == info.stored_bytes == len(STREAMS[kind])
    assert shown["ratio"] == pytest.approx(info.raw_bytes / info.stored_bytes)
    assert shown["sections"] == info.sections
