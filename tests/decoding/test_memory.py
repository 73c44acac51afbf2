"""Memory that runs out while a chunk is decoded: an error of this package, after which the process goes on."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from tinc_codec import OutOfMemoryError, TINCCodec, TincError, decode
from tinc_codec.decoding import chunk as chunk_module
from tinc_codec.decoding.memory import accounted

resource = pytest.importorskip("resource")

SCRIPT = """
import resource, sys
import numpy as np
from tests.models import random_residual, random_stream
from tinc_codec import OutOfMemoryError, TINCCodec, decode, sample, set_process

set_process(decoder=sys.argv[1], cache=0)
rng = np.random.default_rng(0)
shape = (64, 64, 64)

def stored(dtype, values):
    return TINCCodec(max_error=0).encode(values.astype(dtype))

streams = {
    "tree": random_stream(rng, shape, "f8", levels=3, empty=0.2),
    "residual": random_residual(rng, shape, "f8", "C", 1, model=False)[0],
    "exact": random_residual(rng, shape, "f8", "F", 1, model=False, exact=True)[0],
    "constant": stored("f8", np.full(shape, 7.0)),
    "stored": stored("u8", rng.integers(0, 2**64 - 1, shape, "u8")),
}
ways = {"whole": decode, "part": lambda s: decode(s, slice(1, None))}
right = {(name, way): call(stream).tobytes() for name, stream in streams.items() for way, call in ways.items()}
for (name, way), expected in right.items():
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**18, resource.RLIM_INFINITY))
    try:
        ways[way](streams[name])
        print("DECODED", name, way)
    except OutOfMemoryError as error:
        assert "(64, 64, 64)" in str(error) or "a stream of" in str(error), error
        print("refused", name, way)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert ways[way](streams[name]).tobytes() == expected, (name, way)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits on memory are those of Linux")
@pytest.mark.parametrize("decoder", ["numba", "numpy"])
def test_the_process_goes_on_after_every_kind_of_chunk(decoder):
    if decoder == "numba":
        pytest.importorskip("numba")
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), decoder]
    returned = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}  # not held for the next array
    environment = {**os.environ, **returned}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("refused") == 10, done.stdout


def test_the_error_says_what_was_decoded_and_is_of_both_families(monkeypatch):
    stream = TINCCodec(max_error=0).encode(np.arange(600, dtype="u2").reshape(20, 30))

    def exhausted(*_):
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr(chunk_module.crop, "restore", exhausted)
    with pytest.raises(
        OutOfMemoryError, match=r"shape \(20, 30\) and uint16 of 1200 bytes .*: Unable to allocate 9 TiB"
    ):
        decode(stream)
    assert issubclass(OutOfMemoryError, TincError)
    assert issubclass(OutOfMemoryError, MemoryError)


def test_an_error_is_told_once():
    match = "while a part of 3 bytes .*fewer at a time"
    with pytest.raises(OutOfMemoryError, match=match), accounted("a whole", 5), accounted("a part", 3):
        raise MemoryError
