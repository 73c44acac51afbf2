import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stream.test_lossless import arrays
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import exact
from tinc_codec.stream.fields import FieldReader


@given(values=arrays.filter(len), seed=st.integers(0, 1000))
def test_exact_values_return_to_their_places(values, seed):
    mask = np.random.default_rng(seed).random(len(values)) < 0.3
    places, stored = exact.unpack(FieldReader(exact.pack(values, mask), "exact"), values.shape, values.dtype)
    assert (places == mask).all()
    assert stored.tobytes() == values[mask].tobytes()


def test_a_wrong_number_of_exact_values_is_refused():
    volume = np.arange(10.0)
    data = bytearray(exact.pack(volume, volume > 6))
    data[0] += 1
    with pytest.raises(CorruptStreamError, match="places for"):
        exact.unpack(FieldReader(bytes(data), "exact"), volume.shape, volume.dtype)
