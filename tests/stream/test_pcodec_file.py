"""A file of pcodec's is one, whole and alone, and of the values that belong there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import CorruptStreamError
from tinc_codec.stream import lossless, pcodec_file


@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from(["u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"]),
    count=st.sampled_from([1, 2, 255, 256, 257, 3000]),
    bits=st.integers(1, 64),
    rest=st.sampled_from([bytes(1), bytes(16), bytes(range(1, 17)), b"pco!"]),
)
def test_a_pcodec_file_is_alone_and_whole(seed, dtype, count, bits, rest):
    rng = np.random.default_rng(seed)
    values = (rng.integers(0, 2**64, count, np.uint64) >> np.uint64(64 - bits)).view("u2")[:count].astype("u2")
    values = np.resize(values, count * np.dtype(dtype).itemsize // 2).view(dtype)
    file = pcodec_file.compress(values)
    assert pcodec_file.decompress(file, count, values.dtype).tobytes() == values.tobytes()
    for damaged, number in [
        (file + rest, count),
        (file + file, count),
        (file[:-1], count),
        (file, count + 1),
        (file, count - 1),
        (file[:4] + b"\x02" + file[5:], count),
        (file[:5] + b"\x07" + file[6:], count),
    ]:
        with pytest.raises(CorruptStreamError):
            pcodec_file.decompress(damaged, number, values.dtype)
    with pytest.raises(CorruptStreamError):
        pcodec_file.decompress(file, count, np.dtype("u1"))


def test_a_pcodec_file_of_several_chunks():
    values = np.cumsum(np.random.default_rng(0).integers(0, 60, 2**18 + 1)).astype("u4")
    payload = lossless.pack(values, newest=True)
    assert payload[0] == lossless.Method.PCODEC
    assert (lossless.unpack(payload, len(values), values.dtype, newest=True) == values).all()
    with pytest.raises(CorruptStreamError, match="1 bytes too many"):
        lossless.unpack(payload + b"\0", len(values), values.dtype, newest=True)
