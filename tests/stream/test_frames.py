"""One frame of a known size, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import frames


@given(data=st.binary(min_size=1, max_size=400), level=st.sampled_from([1, 12]))
def test_bytes_come_back_and_only_in_their_own_size(data, level):
    frame = frames.compress(data, level)
    assert frames.decompress(frame, len(data)) == data
    for size in (len(data) + 1, 2**40):
        with pytest.raises(CorruptStreamError, match="says it holds"):
            frames.decompress(frame, size)


@given(data=st.binary(min_size=1, max_size=80), cut=st.integers(1, 8))
def test_more_or_less_than_one_frame_is_refused(data, cut):
    frame = frames.compress(data, 3)
    for other in (frame[:-cut], frame + bytes(cut), frame + frame, b""):
        with pytest.raises(CorruptStreamError):
            frames.decompress(other, len(data))
