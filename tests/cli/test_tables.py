import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from tests.models import random_detail, random_stream
from tinc_codec import TINCCodec
from tinc_codec.cli.tables import HOLDS, as_json, print_store, print_stream
from tinc_codec.decoding.decode import Quality
from tinc_codec.decoding.inspect import inspect
from tinc_codec.stream.container import Section

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
    text = printed(print_stream, "c/0/[0]", info)
    assert text.startswith(f"c/0/[0]: {'x'.join(map(str, info.shape))} {info.dtype}, {info.order} order; ")
    assert f"{info.kind}, format version {info.version}" in text
    for name, size in info.sections.items():
        line = next(line for line in text.splitlines() if line.startswith(f"│ {name} "))
        assert f"{size:,}" in line
        assert HOLDS[name] in line
    assert ("tree:" in text) == bool(info.levels)
    assert ("bands in" in text) == (info.detail is not None)
    assert ("measured when it was written" in text) == (info.quality is not None)


def test_every_section_has_words():
    assert {section.name.lower() for section in Section} | {"container"} == HOLDS.keys()


def test_coefficients_are_told_by_the_halvings_of_the_arrays_own_last_axes():
    groups = [{"axes": [0], "depth": 0}, {"axes": [1], "depth": 2}, {"axes": [2, 3], "depth": 5}]
    detail = {
        "groups": groups,
        "bands": 9,
        "pieces": 3,
        "step": 37.246,
        "bytes": {"coarse": 0, "0x2x5": 1234, "0x1x5": 5},
    }
    info = replace(inspect(STREAMS["detail"]), detail=detail)
    text = printed(print_stream, "a", info)
    assert (
        "9 bands in 3 pieces, step 37.25 in the data's units; axis -3 halved 2 times; axes -2, -1 halved 5 times"
        in text
    )
    rows = [
        [cell.strip() for cell in line.strip("│┃ ").split("┃" if "┃" in line else "│")] for line in text.splitlines()
    ]
    assert ["halvings of axis -3", "halvings of axes -2, -1", "bytes"] in rows
    assert ["2", "5", "1,234"] in rows
    assert ["1", "5", "5"] in rows
    assert not any("more" in row for row in rows)
    whole = printed(print_stream, "a", replace(info, detail={**detail, "pieces": 1, "bytes": {"coarse": 99}}))
    assert "9 bands in 1 piece," in whole
    assert "halvings" not in whole


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        (None, "nothing was lost\n"),
        (Quality(0.0, 0.0, 3.0, 7.0), "nothing was lost; samples from 3 to 7\n"),
        (
            Quality(1.0, 4.0, 0.0, 100.0),
            "PSNR 40.00 dB, error 1 root mean square and 4 at most; samples from 0 to 100\n",
        ),
    ],
)
def test_what_was_lost_is_said_and_that_nothing_was(quality, words):
    assert words in printed(print_stream, "a", replace(inspect(STREAMS["tree"]), quality=quality))


def test_a_store_is_told_chunk_by_chunk():
    infos = [(name, inspect(stream)) for name, stream in STREAMS.items()]
    text = printed(print_store, infos)
    assert text.startswith("5 chunks: ")
    for name, info in infos:
        line = next(line for line in text.splitlines() if name in line.split())
        assert f"{info.stored_bytes:,}" in line
    assert next(line for line in text.splitlines() if "exact" in line.split()).split("│")[-3].strip() == "lossless"


def test_of_a_large_store_the_first_chunks_are_told_and_what_all_keep():
    info = replace(inspect(STREAMS["residual"]), quality=Quality(1.0, 4.0, 0.0, 100.0))
    worst = replace(info, quality=Quality(2.0, 9.0, 0.0, 200.0))
    best = replace(info, quality=Quality(1.0, 3.0, 0.0, 1000.0))
    text = printed(print_store, [(f"c/{n}", {1150: worst, 7: best}.get(n, info)) for n in range(1200)])
    assert text.startswith("1,200 chunks: ")
    assert "PSNR 40.00 to 60.00 dB, largest error 9 (in c/1150)" in text
    assert "and 1,168 chunks more: --json has all of them" in text
    assert len(text.splitlines()) < 40
    exact = printed(print_store, [("a", inspect(STREAMS["exact"]))] * 2)
    assert "nothing was lost" in exact


@pytest.mark.parametrize("kind", STREAMS)
def test_json_says_the_same(kind):
    info = inspect(STREAMS[kind])
    shown = json.loads(json.dumps(as_json(info), allow_nan=False))
    assert shown["stored_bytes"] == info.stored_bytes == len(STREAMS[kind])
    assert shown["ratio"] == pytest.approx(info.raw_bytes / info.stored_bytes)
    assert shown["sections"] == info.sections
