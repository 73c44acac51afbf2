import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import frames, lossless

dtypes = st.sampled_from([np.dtype(code) for code in ("u1", "u2", "i4", "i8", "f2", "f4", "f8")])
arrays = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, st.integers(0, 60)))


@given(values=arrays)
def test_values_come_back_bit_for_bit(values):
    for newest in (False, True):
        data = lossless.pack(values, newest)
        assert lossless.unpack(data, len(values), values.dtype, newest).tobytes() == values.tobytes()


@pytest.mark.parametrize(("values", "method"), [([7] * 50, 1), (range(4000), 2), ([1, 2, 3], 0)])
def test_the_smallest_method_is_chosen(values, method):
    assert lossless.pack(np.array(values, np.int32))[0] == method


def test_pcodec_is_for_later_versions_only():
    values = np.cumsum(np.random.default_rng(0).integers(0, 60, 4000)).astype("u4")
    data = lossless.pack(values, newest=True)
    assert data[0] == lossless.Method.PCODEC
    assert len(data) < len(lossless.pack(values))
    with pytest.raises(CorruptStreamError, match="no known method"):
        lossless.unpack(data, 4000, values.dtype)
    with pytest.raises(CorruptStreamError, match="4000 values of uint32 instead of 4001"):
        lossless.unpack(data, 4001, values.dtype, newest=True)
    with pytest.raises(CorruptStreamError, match="do not decompress"):
        lossless.unpack(data[:-9], 4000, values.dtype, newest=True)


@given(data=st.binary(max_size=40), count=st.integers(0, 20), dtype=dtypes)
def test_foreign_bytes_are_refused_or_have_the_right_size(data, count, dtype):
    with contextlib.suppress(CorruptStreamError):
        assert len(lossless.unpack(data, count, dtype)) == count


@pytest.mark.parametrize("size", [100, 3000, 30_000, 60_000, 100_000])
@pytest.mark.parametrize("kind", ["noise", "quiet at first", "zeros"])
def test_what_a_part_exceeds_the_whole_exceeds(kind, size):
    values = np.random.default_rng(0).integers(0, 2**16, 32_768).astype(np.uint16)
    if kind == "quiet at first":
        values[:24_000] = 7
    if kind == "zeros":
        values[:] = 0
    part, whole = (len(lossless.pack(some, newest=True)) for some in (values[: values.size // 4], values))
    assert (part > size) <= lossless.part_exceeds(values, size) <= (whole > size)
    assert not lossless.part_exceeds(values, whole)


def test_of_what_exceeds_a_size_only_a_part_is_packed(monkeypatch):
    values = np.random.default_rng(0).integers(0, 2**16, 2**18).astype(np.uint16)
    packed = []
    compress = frames.compress
    monkeypatch.setattr(frames, "compress", lambda part, level: packed.append(len(part)) or compress(part, level))
    assert lossless.part_exceeds(values, 1000)
    assert 0 < sum(packed) <= values.nbytes / 32
