"""One rule for what is kept: the encoder's promise and the reader's check are the same."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinc_codec import Config, TINCCodec, decode
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.encode import encode
from tinc_codec.encoding.kept import complaint, exact_samples, same_bits

pytest.importorskip("torch")

FLOATS = ["f2", "<f4", ">f4", "f8"]
INTEGERS = ["u1", "i2", ">u2", "u4", "i8", "u8"]


def exact(samples, *values, **target):
    return exact_samples(samples, Config(exact_values=values, **target)).tolist()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [-9999.9, 0.1, 1 / 3, 1e-6, 65504.0])
def test_a_number_is_exact_as_what_it_is_in_the_dtype(dtype, value):
    samples = np.array([value, 1.5, -value], dtype)
    assert exact(samples, value) == [True, False, False]
    assert exact(samples, samples[0].item()) == [True, False, False]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_numbers_that_no_integer_is_are_no_samples_values(dtype):
    info = np.iinfo(dtype)
    samples = np.array([info.min, 3, info.max], dtype)
    assert exact(samples, 3.5, 1e300, -1e300, 2**70, -(2**70), info.max + 1, info.min - 1) == [False] * 3
    assert exact(samples, 3.0, info.max) == [False, True, True]


def test_numbers_beyond_a_float_dtype_are_no_samples_values():
    samples = np.array([65504, 1, np.inf], "f2")
    assert exact(samples, 1e300, 65520) == [False, False, True]


def test_zeros_of_either_sign_are_apart_only_where_nothing_may_be_lost():
    samples = np.array([0.0, -0.0, np.nan, 1])
    assert exact(samples, max_error=0) == [False, True, True, False]
    assert exact(samples, max_error=1) == [False, False, True, False]
    assert exact(samples, 0, max_error=1) == [True, True, True, False]


def nan(bits):
    return np.array([bits], "u4").view("f4")


def test_bits_are_compared_and_not_values():
    assert not same_bits(np.array([0.0]), np.array([-0.0]))
    assert not same_bits(nan(0x7FC00000), nan(0x7FC00001))
    assert same_bits(nan(0x7FC00001), nan(0x7FC00001).astype(">f4"))
    assert not same_bits(np.zeros(3), np.zeros(4))
    words = np.array(["a", "some longer text"], object)
    assert same_bits(words, np.array(["a", " ".join(["some", "longer", "text"])], object))
    assert not same_bits(words, np.array(["a", "b"], object))


@pytest.mark.parametrize(
    ("original", "decoded", "target", "words"),
    [
        ([1.0, 2], [1.0, 2.5], {"max_error": 0.4}, "an error of 0.5, above 0.4"),
        ([0.0, 2], [-0.0, 2], {"max_error": 0}, "lossless"),
        ([np.nan, 2], [np.inf, 2], {"max_error": 9}, "lost values"),
        ([1.0, 2], [np.nan, 2], {"max_error": 9}, "where there were none"),
        ([1.0, 2], [5, 2], {"ratio": 9, "exact_values": 5}, "where there were none"),
        ([5.0, 2], [5.1, 2], {"ratio": 9, "exact_values": 5}, "lost values"),
        ([0.0, 100], [1.0, 100], {"psnr": 60}, "above the 0.1 of 60.0 dB"),
        ([7.0, 7], [7.0, 7.1], {"psnr": 60}, "above the 0.0 of 60.0 dB"),
        ([-9999.9, 0, 100], [-9999.9, 3, 100], {"psnr": 60, "exact_values": -9999.9}, "above the 0.1"),
    ],
)
def test_what_is_wrong_is_said(original, decoded, target, words):
    original, decoded = np.array(original, "f4"), np.array(decoded, "f4")
    assert words in complaint(original, decoded, Config(**target))
    assert complaint(original, original.astype(">f4"), Config(**target)) is None


def test_what_is_exact_does_not_widen_the_range_that_a_psnr_is_of():
    original = np.array([-9999.9, 0, 100], "f4")
    decoded = np.array([-9999.9, 1, 100], "f4")
    asked = {"psnr": 40, "exact_values": -9999.9}
    assert complaint(original, decoded, Config(**asked)) is None  # 1 of 100, in one of two samples
    assert complaint(original, decoded + np.array([0, 1, 0], "f4"), Config(**asked)) is not None
    assert complaint(original, decoded + np.array([0, 1, 0], "f4"), Config(**asked, data_range=200)) is None


@st.composite
def chunks(draw):
    dtype = np.dtype(draw(st.sampled_from(FLOATS + INTEGERS)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (6, 7, 8)
    samples = np.rint(sum(np.indices(shape)) * 5 + rng.normal(20, 2, shape))
    values = draw(st.lists(st.sampled_from([-9999.9, 0.1, 3.5, -0.0, 21, 1e300, 2**70, 65504]), max_size=3))
    if dtype.kind == "f":
        samples += rng.random(shape)
        samples[rng.random(shape) < 0.05] = -0.0
        samples[rng.random(shape) < 0.05] = np.nan
        for value in values:
            with np.errstate(over="ignore"):
                samples[rng.random(shape) < 0.1] = value if abs(value) < 1e5 else 1
    if draw(st.booleans()):
        samples[:, :, draw(st.integers(1, 7)) :] = 0  # as Zarr pads a chunk, fewer voxels than are worth leaving out
    return samples.astype(dtype), tuple(values)


TARGETS = [{"max_error": 0}, {"max_error": 0.3}, {"max_error": 3}, {"psnr": 35}, {"psnr": 60}, {"ratio": 3}]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunk=chunks(), target=st.sampled_from(TARGETS), how=st.sampled_from([(1, "auto"), (1, 1), (4, "auto")]))
def test_what_is_encoded_is_kept(monkeypatch, chunk, target, how):
    from tinc_codec.encoding import networks
    from tinc_codec.encoding.fit import training

    monkeypatch.setattr(training, "STEPS", dict.fromkeys(range(1, 10), 12))
    monkeypatch.setattr(networks, "PROBE", networks.Training(2, 1, 0))
    monkeypatch.setattr(networks, "PROMISING", -math.inf)  # networks under coefficients, whatever they are worth
    monkeypatch.setattr(networks, "FORETELLING", -math.inf)
    monkeypatch.setitem(networks.LADDER, 4, networks.Training(2, 2, 2))
    array, values = chunk
    effort, share = how
    config = Config(effort=effort, exact_values=values, network_share=share, **target)
    got = decode(encode(array, config))
    assert complaint(array, got, config) is None


@pytest.mark.parametrize("psnr", [45, 60])
def test_padding_has_no_part_in_a_chunks_own_range(psnr):
    rng = np.random.default_rng(1)
    array = np.zeros((6, 6, 6), "u2")
    array[:, :, :5] = 60000 + rng.normal(0, 300, (6, 6, 5))
    config = Config(psnr=psnr, effort=1)
    assert complaint(array[:, :, :5], decode(encode(array, config))[:, :, :5], config) is None


def test_a_float32_fill_value_of_a_decimal_fraction_is_exact_and_the_rest_keeps_its_decibels():
    rng = np.random.default_rng(0)
    wave = np.sin(np.linspace(0, 6, 20 * 24 * 28)).reshape(20, 24, 28)
    data = (wave + rng.normal(0, 0.01, wave.shape)).astype("f4")
    data[3:9, 5:15] = -9999.9
    codec = TINCCodec(psnr=60, exact_values=-9999.9, effort=1)
    stream = codec.encode(data)
    assert inspect(stream).kind != "lossless"
    got = decode(stream)
    hole = data == np.float32(-9999.9)
    assert (got[hole] == data[hole]).all()
    error = (got - data)[~hole].astype("f8")
    span = float(data[~hole].max()) - float(data[~hole].min())
    assert 20 * math.log10(span / math.sqrt(np.mean(error**2))) >= 60
