"""One store for all that is kept of streams: bounded in bytes, and empty where the process says so."""

import gc
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import tinc_codec
from tests.fuzz.corpus import streams
from tests.models import random_residual, random_stream
from tinc_codec import decode, sample, set_process
from tinc_codec.decoding.cache import chunks
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.runtime.caching import ENTRY, Kept, keeping, kept
from tinc_codec.runtime.settings import process
from tinc_codec.tree.partition import Partition
from tinc_codec.tree.pieces import Product

CORPUS = dict(streams())


def read_in_parts(stream):
    """Reads that keep something."""
    axes = decode(stream, level=40).ndim
    if axes and decode(stream, level=40).size:
        decode(stream, (0,))
        decode(stream, level=1)
        decode(stream, (slice(1, 3),))
        sample(stream, np.full((axes, 5), 0.25))


def parsed():
    """What is alive of streams, other tests' among it."""
    gc.collect()
    # by type, since other packages' proxies do not like to be asked what they are instances of
    return {id(held) for held in gc.get_objects() if type(held) in (Chunk, Partition, Product)}


@pytest.mark.parametrize("decoder", ["numba", "numpy"])
def test_nothing_of_a_stream_is_kept_where_the_process_says_so(decoder):
    set_process(decoder=decoder)
    for stream in CORPUS.values():
        read_in_parts(stream)
    set_process(decoder=decoder, cache=0)
    chunks.clear()
    before = parsed()
    for name, stream in CORPUS.items():
        read_in_parts(stream)
        decode(stream)
        assert (kept.nbytes, len(kept), len(chunks)) == (0, 0, 0), name
    assert not parsed() - before


LARGE = {
    "tree": lambda rng: random_stream(rng, (64, 64, 64), "f4", levels=4, widest=24),
    "tree of many leaves": lambda rng: random_stream(rng, (2**15,), "u2", levels=12, widest=2),
    "residual": lambda rng: random_residual(rng, (64, 64, 64), "u2", "C", 1, model=False)[0],
    "exact values": lambda rng: random_residual(rng, (64, 64), "f4", "C", 1, model=False, exact=True)[0],
    "stored": lambda rng: CORPUS["stored-pcodec"],
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_kept_is_counted(name):
    """As the interpreter counts it; it does not see what compiled code allocates, and so the other decoder reads.

    Only what this package's functions allocate counts: threads of other tests have memory, too.
    """
    stream = LARGE[name](np.random.default_rng(0))
    set_process(decoder="numpy", cache=2**40)
    read_in_parts(stream)
    chunks.clear()
    gc.collect()
    tracemalloc.start(12)
    try:
        read_in_parts(stream)
        gc.collect()
        ours = tracemalloc.Filter(True, str(Path(tinc_codec.__file__).parent / "*"), all_frames=True)
        held = sum(each.size for each in tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename"))
    finally:
        tracemalloc.stop()
    assert kept.nbytes >= 0.95 * held - 2**14


def test_the_least_recently_used_goes_first():
    store = Kept(lambda: process().cache)
    set_process(cache=3 * (100 + ENTRY))
    for key in "abc":
        store.keep(key, key.upper(), 100)
    assert store.find("a") == "A"
    store.keep("d", "D", 100)
    assert [store.find(key) for key in "abcd"] == ["A", None, "C", "D"]
    assert store.nbytes == 3 * (100 + ENTRY)
    store.keep("a", "A", 200)  # it grew
    assert [store.find(key) for key in "acd"] == ["A", None, "D"]
    store.keep("e", "E", 10**6)  # larger than all that is allowed
    assert store.find("e") is None
    assert store.find("a") == "A"
    store.keep("a", "A", 10**6)
    assert store.find("a") is None
    store.clear()
    assert store.nbytes == 0


def test_answers_are_kept_by_their_arguments():
    calls = []

    @keeping(lambda answer: answer.nbytes)
    def zeros(count):
        calls.append(count)
        return np.zeros(count)

    first = zeros(5)
    assert zeros(5) is first
    zeros(6)
    set_process(cache=0)
    assert zeros(7) is not zeros(7)
    assert calls == [5, 6, 7, 7]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_begins_with_an_empty_store_and_a_free_lock():
    kept.keep("key", "value", 10)
    with kept.lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if kept.find("key") is None and kept.nbytes == 0 else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert kept.find("key") == "value"
    kept.clear()
