"""From a stream to samples, whichever way they are asked for."""

import numpy as np
import pytest

from tests.decoding.kinds import KINDS, streams
from tinc_codec import ConfigurationError, CorruptStreamError, SelectionError, TINCCodec, decode, sample
from tinc_codec.decoding.decode import Quality, read_quality
from tinc_codec.stream.container import unpack
from tinc_codec.stream.limits import Expected

SHAPE = (6, 9, 11)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_whole_in_parts_at_a_level_and_between_its_voxels(kind):
    stream = streams(np.random.default_rng(1), SHAPE, "<i4", kind)
    whole = decode(stream)
    assert (whole.shape, whole.dtype.str, whole.flags.writeable) == (SHAPE, "<i4", True)
    assert (decode(memoryview(stream), np.s_[2, ..., ::3]) == whole[2, ..., ::3]).all()
    coarse = decode(stream, level=1)
    assert coarse.shape == (3, 5, 6)
    assert (decode(stream, np.s_[1, 2:], level=1) == coarse[1, 2:]).all()
    assert (decode(stream, level=(0, 0, 0)) == whole).all()
    voxels = np.array([[0, 5], [8, 3], [10, 0]])
    assert (sample(stream, voxels) == whole[tuple(voxels)]).all()


def test_what_is_expected_is_checked_before_anything_is_decoded():
    stream = TINCCodec(max_error=0).encode(np.arange(12, dtype="u2").reshape(3, 4))
    assert decode(stream, expected=Expected(dtype=np.dtype("u2"), shape=(3, 4))).shape == (3, 4)
    with pytest.raises(CorruptStreamError):
        decode(stream, expected=Expected(dtype=np.dtype("u2"), shape=(3, 5)))


def test_what_does_not_fit_is_refused():
    stream = TINCCodec(max_error=0).encode(np.arange(12, dtype="u2").reshape(3, 4))
    with pytest.raises(SelectionError):
        decode(stream, np.s_[3])
    with pytest.raises(ConfigurationError):
        decode(stream, level=(1, 1, 1))
    with pytest.raises(SelectionError):
        sample(stream, [[0.0], [9.0]])


def test_a_quality_has_the_psnr_of_its_range():
    assert Quality(2.0, 9.0, 100.0, 300.0).psnr == pytest.approx(40)
    assert Quality(0.0, 0.0, 1.0, 2.0).psnr == np.inf
    assert read_quality(unpack(streams(np.random.default_rng(1), SHAPE, "u1", "network"))) is None
