"""What is kept between reads: bounded, the same stream's, and worth it."""

import numpy as np

from tests.models import random_residual, random_stream
from tinc_codec import decode, set_process
from tinc_codec.decoding.cache import StreamKey, chunks


def test_the_cache_is_bounded_in_bytes_and_serves_the_same_stream():
    rng = np.random.default_rng(0)
    streams = [random_residual(rng, (64, 64), "u2", "C", 1)[0] for _ in range(6)]
    chunks.clear()
    decode(streams[0], (3, slice(None)))
    with chunks.reading(streams[0]) as first:
        pass
    with chunks.reading(bytes(bytearray(streams[0]))) as again:
        assert again is first
    one = chunks.nbytes
    assert one > len(streams[0]) + 64 * 64 * 2  # the decoded tile is counted
    set_process(cache=3 * one)
    for stream in streams:
        decode(stream, (3, slice(None)))
        assert chunks.nbytes <= 3 * one
    assert 1 <= len(chunks) < 6
    set_process(cache=0)
    decode(streams[0], (3, slice(None)))
    assert (len(chunks), chunks.nbytes) == (0, 0)


def test_streams_that_end_alike_are_not_taken_for_each_other():
    one, other = (StreamKey(head + b"the same checksum") for head in (b"1", b"2"))
    assert hash(one) == hash(other)
    assert one != other
    assert one == StreamKey(bytes(bytearray(one.stream)))
    assert len({one: 1, other: 2, StreamKey(other.stream): 3}) == 2


def test_a_whole_chunk_leaves_nothing_in_the_cache():
    chunks.clear()
    decode(random_stream(np.random.default_rng(0), (32, 32), "u2"))
    assert len(chunks) == 0
