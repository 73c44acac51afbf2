"""What a stream says of itself is what it holds."""

import numpy as np
import pytest

from tests.models import random_detail, random_residual, random_stream
from tinc_codec import CorruptStreamError, TINCCodec, decode, metrics
from tinc_codec.decoding.inspect import inspect
from tinc_codec.stream.container import Container, Section, pack, unpack

RNG = np.random.default_rng(0)
SHAPE = (9, 16, 17)
STREAMS = {
    "sine tree": random_stream(RNG, SHAPE, ">u2", "F", empty=0.0),
    "residual": random_residual(RNG, SHAPE, "i4", "C", 3, model=False)[0],
    "sine tree and residual": random_residual(RNG, SHAPE, "u1", "C", 3)[0],
    "detail": random_detail(RNG, SHAPE, "f4", "C"),
    "sine tree and detail": random_detail(RNG, SHAPE, "u2", "C", above=True),
    "detail and residual": random_detail(RNG, SHAPE, "u2", "C", residual=True),
    "lossless": TINCCodec(max_error=0).encode(RNG.integers(0, 2**16, SHAPE).astype("u2")),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_kind_sizes_and_sections(kind):
    stream = STREAMS[kind]
    info, array = inspect(stream), decode(stream)
    assert info.kind == kind
    assert (info.shape, info.order) == (array.shape, "F" if kind == "sine tree" else "C")
    assert info.dtype == ("uint16 (big-endian)" if kind == "sine tree" else array.dtype.name)
    assert (info.raw_bytes, info.stored_bytes) == (array.nbytes, len(stream))
    assert info.ratio == array.nbytes / len(stream)
    assert sum(info.sections.values()) == len(stream)
    assert info.sections["container"] > 0
    assert (info.detail is not None) == ("detail" in kind)
    assert bool(info.levels) == ("sine tree" in kind)
    assert bool(info.parameters) == bool(info.bits_per_parameter)
    assert info.parameters == sum(level.parameters for level in info.levels)
    assert inspect(memoryview(stream)) == info


def test_the_stream_has_the_quality_that_its_decoder_gives():
    rng = np.random.default_rng(1)
    volume = np.rint(900 * np.sin(np.indices(SHAPE).sum(0) / 5) + rng.normal(2000, 9, SHAPE)).astype("u2")
    stream = TINCCodec(ratio=16, effort=1).encode(volume)
    decoded, quality = decode(stream), inspect(stream).quality
    assert quality.rmse == pytest.approx(metrics.rmse(volume, decoded))
    assert quality.max_error == metrics.max_error(volume, decoded)
    assert (quality.low, quality.high) == (volume.min(), volume.max())
    assert quality.psnr == pytest.approx(metrics.psnr(volume, decoded, float(np.ptp(volume))))
    assert inspect(STREAMS["sine tree"]).quality is None


def test_a_section_of_a_later_writer_is_counted_by_its_number():
    container = unpack(STREAMS["detail"])
    unknown = next(number for number in range(128, 256) if number not in {int(section) for section in Section})
    stream = pack(Container(container.header, {**container.sections, unknown: b"12345"}))
    assert inspect(stream).sections[f"section {unknown}"] == 5


@pytest.mark.parametrize("data", [b"", b"TINC", STREAMS["detail"][:-1]])
def test_damage_is_refused(data):
    with pytest.raises(CorruptStreamError):
        inspect(data)
