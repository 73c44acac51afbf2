import numpy as np
import pytest

from tests.models import random_stream
from tests.stream.test_limits import zeros
from tinc_codec import LimitError, decode, set_process
from tinc_codec.decoding.cache import chunks

pytest.importorskip("numba")

from tinc_codec.backends.numba import backend, model_section


def test_nothing_is_compiled_for_a_first_stream_that_is_refused(monkeypatch):
    monkeypatch.setattr(model_section, "compiled", lambda: False)
    monkeypatch.setattr(model_section, "unpack", lambda *_: pytest.fail("it is compiled"))
    set_process(decoder="numba", work=3600)
    with pytest.raises(LimitError, match="TINC_WORK"):
        decode(zeros((16, 16, 16), [(0, 2, [60], [0])], [2]))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_a_first_stream_is_read_as_any_other(monkeypatch, compiled, large):
    stream = random_stream(np.random.default_rng(5), (9, 16, 17), "u2")
    set_process(decoder="numba")
    expected = decode(stream)
    chunks.clear()
    monkeypatch.setattr(model_section, "compiled", lambda: compiled)
    if large:  # what is very large is left to the reference
        monkeypatch.setattr(backend.model_section, "unpack", lambda *_: None)
    assert (decode(stream) == expected).all()
