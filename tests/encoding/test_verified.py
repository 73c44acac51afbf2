import numpy as np
import pytest

from tinc_codec import decode
from tinc_codec.config import Config
from tinc_codec.detail.goals import Budget
from tinc_codec.encoding import coefficients, verified
from tinc_codec.encoding.prepared import prepare
from tinc_codec.encoding.verified import BLANK, Exactly, assemble, measure, size_of, verify
from tinc_codec.errors import CorruptStreamError, TrainingError
from tinc_codec.runtime.progress import TrainingProgress


@pytest.fixture
def chunk():
    z, y, x = np.indices((20, 24, 22))
    volume = 1000 * np.sin(z / 5) * np.cos(y / 7) + 10 * x + np.random.default_rng(0).normal(0, 5, z.shape)
    return prepare(volume.astype("i2"), Config(ratio=20, effort=1))


@pytest.fixture
def sections(chunk):
    return coefficients.sections(chunk, Budget(900), TrainingProgress(1))


def test_a_verified_stream_tells_what_its_decoder_gives(chunk, sections):
    got = verify(chunk, sections)
    decoded = decode(got.stream)
    assert got.complaint is None
    assert got.quality == measure(chunk, decoded)
    assert got.quality.rmse == pytest.approx(np.sqrt(np.mean((decoded - chunk.values.astype(float)) ** 2)))
    assert len(got.stream) == len(assemble(chunk, sections, BLANK))
    assert size_of(sections) < len(got.stream)


def test_a_stream_that_does_not_decode_is_never_promised(chunk, sections, monkeypatch):
    def refuse(*_):
        raise CorruptStreamError("no")

    monkeypatch.setattr(verified.Chunk, "of", refuse)
    with pytest.raises(TrainingError, match="does not decode: no"):
        verify(chunk, sections)


def test_a_lossless_stream_is_made_only_where_it_may_be_small_enough(chunk, monkeypatch):
    exactly = Exactly(chunk)
    size = len(Exactly(chunk).stream)
    assert (decode(Exactly(chunk).stream) == chunk.values).all()
    assert not exactly.within(size // 100)
    assert "stream" not in vars(exactly)
    assert not exactly.within(size - 1)
    assert exactly.within(size)
