import numpy as np
import pytest

from tinc_codec import TINCCodec
from tinc_codec.hosts.warm_up import part_of, warm_up


@pytest.mark.parametrize(
    ("shape", "largest", "starts", "edges"),
    [
        ((3, 5, 100, 50, 60), (2, 1, 0, 49, 30), (1, 0, 0, 10, 10), (2, 2, 40, 40, 40)),
        ((1, 64, 20, 64), (0, 30, 3, 63), (0, 10, 0, 24), (1, 40, 20, 40)),
        ((500, 30), (400, 7), (380, 0), (40, 30)),
        ((7,), (2,), (0,), (7,)),
    ],
)
def test_a_part_has_all_axes_and_lies_where_something_is(shape, largest, starts, edges):
    volume = np.full(shape, -np.inf, "f4", order="F")
    volume[largest] = 5
    part = part_of(volume)
    assert part.flags.c_contiguous
    assert part.shape == edges
    assert part[tuple(np.subtract(largest, starts))] == 5


def test_nothing_that_is_finite_is_no_hindrance():
    assert part_of(np.full((50, 3), np.nan)).shape == (40, 3)


def test_every_codec_writes_and_reads_the_volume_that_varies(monkeypatch):
    codecs, calls = [TINCCodec(ratio=16, effort=1), TINCCodec(max_error=0)], []
    monkeypatch.setattr(TINCCodec, "encode", lambda self, part: calls.append((self, part.tolist())) or b"stream")
    monkeypatch.setattr(TINCCodec, "decode", lambda self, stream: calls.append((self, stream)))
    warm_up(codecs, [np.full(3, 9), np.arange(3), np.array([7, 7, 9])])
    assert calls == [call for codec in codecs for call in ((codec, [0, 1, 2]), (codec, b"stream"))]
