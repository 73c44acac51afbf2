"""`encode` never raises because of a chunk's values, whatever they are, and never breaks a promise to say so."""

import itertools
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinc_codec import Config, decode
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.encode import encode
from tinc_codec.encoding.prepared import prepare
from tinc_codec.errors import CorruptStreamError, UnsupportedDataError
from tinc_codec.stream.container import LARGEST_RANK

pytest.importorskip("torch")

DTYPES = ["u1", "<u2", ">u4", "u8", "i1", ">i2", "i4", "<i8", "f2", "<f4", ">f4", ">f8"]
BOUNDS = st.sampled_from(
    [
        {"max_error": 0},
        {"max_error": 1},
        {"max_error": 0.3},
        {"max_error": 40},
        {"max_error": 1e12},
        {"max_error": 1e-33},
    ]
)
SEARCHED = st.sampled_from(  # these take ten times as long
    [
        {"ratio": 1.5},
        {"ratio": 8},
        {"ratio": 200},
        {"psnr": 30},
        {"psnr": 61.7},
        {"psnr": 40, "data_range": 255},
    ]
)
EXACT_VALUES = st.sampled_from([(), (0,), (0, 7)])


@st.composite
def arrays(draw):
    """Arrays of every dtype, order and shape, and of every kind of content that has ever been trouble."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=5, max_side=9))
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    kind = draw(st.sampled_from(["any", "constant", "full range", "tiny", "huge", "smooth", "noisy", "few"]))
    if kind == "any":
        values = draw(hnp.arrays(dtype, shape))
    elif dtype.kind == "f":
        unit = {"tiny": float(np.finfo(dtype).smallest_subnormal), "huge": float(np.finfo(dtype).max) / 4}.get(kind, 1)
        unit = {"full range": float(np.finfo(dtype).max) / 1.01}.get(kind, unit)
        base = np.full(shape, 0.3) if kind == "constant" else rng.normal(0, 0.3, shape).clip(-1, 1)
        if kind == "smooth":
            base = sum(np.indices(shape)) / 50 + base * 1e-4 if shape else np.array(0.5)
        values = (np.rint(base * (40 if kind == "tiny" else 1e9)) / (1 if kind == "tiny" else 1e9) * unit).astype(dtype)
    else:
        info = np.iinfo(dtype)
        low, high = {"constant": (7, 8), "few": (0, 2), "smooth": (0, 5)}.get(kind, (info.min, info.max))
        values = rng.integers(low, high, shape, dtype.newbyteorder("="), endpoint=True).astype(dtype)
        if kind == "smooth":
            values = (values + sum(np.indices(shape)) if shape else values).astype(dtype)
    if dtype.kind == "f" and draw(st.booleans()):
        special = rng.random(shape) < draw(st.sampled_from([0.1, 1.0]))
        values = np.where(special, rng.choice(np.array([np.nan, np.inf, -np.inf, -0.0]), shape), values).astype(dtype)
    if shape and draw(st.booleans()):  # planes as Zarr pads them
        axis = draw(st.integers(0, len(shape) - 1))
        values = np.pad(values, [(0, 300 * (a == axis)) for a in range(len(shape))])[..., :]
    return np.array(values, dtype, order=draw(st.sampled_from("CF")))


def differences(a, b):
    """Exact magnitudes of the differences, as Python numbers, and how often each comes."""
    kind = int if a.dtype.kind in "iu" else Fraction
    pairs = Counter(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))  # of padding there are many alike
    return [(abs(kind(x) - kind(y)), count) for (x, y), count in pairs.items()]


def check(array, exact_values=(), share="auto", **target):
    config = Config(effort=1, exact_values=exact_values, network_share=share, **target)
    before = array.copy()
    data = encode(array, config)
    assert array.tobytes() == before.tobytes()
    got = decode(data)
    assert got.shape == array.shape
    assert got.dtype.str == array.dtype.str
    assert got.flags.f_contiguous == array.flags.f_contiguous or array.size <= 1
    info = inspect(data)
    if info.kind == "lossless" or config.max_error == 0:
        assert got.tobytes(order="C") == array.tobytes(order="C")
        return
    special = np.isin(array, np.array(exact_values, array.dtype))
    if array.dtype.kind == "f":
        special |= ~np.isfinite(array)
    assert got[special].tobytes() == array[special].tobytes()
    for value in exact_values:
        assert ((got == value) == (array == value)).all()
    error = differences(got[~special], array[~special])
    if config.max_error is not None:
        assert max(magnitude for magnitude, _ in error) <= Fraction(config.max_error)
    if config.psnr is not None:
        span = config.data_range or Fraction(float(array[~special].max())) - Fraction(float(array[~special].min()))
        mean = sum(Fraction(magnitude) ** 2 * count for magnitude, count in error) / sum(count for _, count in error)
        assert mean <= Fraction(span) ** 2 / Fraction(10 ** (config.psnr / 10)) * Fraction(1 + 1e-12)
    if config.ratio is not None:
        assert got[~special].min() >= array[~special].min()
        assert got[~special].max() <= array[~special].max()


@pytest.mark.usefixtures("few_steps")
@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(array=arrays(), bound=BOUNDS, exact_values=EXACT_VALUES)
def test_any_values_keep_their_bound(array, bound, exact_values):
    check(array, exact_values, **bound)


@pytest.mark.usefixtures("few_steps")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(array=arrays(), target=SEARCHED, exact_values=EXACT_VALUES, share=st.sampled_from(["auto", 0, 0.5, 1]))
def test_any_values_keep_their_target(array, target, exact_values, share):
    check(array, exact_values, share, **target)


def awkward():
    """Every dtype with every kind, and each of both with and without networks."""
    kinds = ["full range", "denormal", "one outlier", "two values", "ramp"]
    for (row, dtype), (column, kind) in itertools.product(enumerate(DTYPES), enumerate(kinds)):
        yield dtype, kind, ("auto", 1)[(row + column) % 2]


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(("dtype", "kind", "share"), list(awkward()))
def test_awkward_values_can_be_encoded(dtype, kind, share):
    dtype = np.dtype(dtype)
    floating = dtype.kind == "f"
    info = np.finfo(dtype) if floating else np.iinfo(dtype)
    rng = np.random.default_rng(0)
    x = np.zeros((24, 30), dtype)
    if kind == "full range":
        x[:] = rng.choice(np.array([info.min, info.max, 0], dtype), x.shape)
    elif kind == "denormal":
        x[:] = (rng.integers(0, 50, x.shape) * (float(info.smallest_subnormal) if floating else 1)).astype(dtype)
    elif kind == "one outlier":
        x[:] = rng.integers(0, 3, x.shape)
        x[5, 5] = info.max
    elif kind == "two values":
        x[:] = rng.integers(0, 2, x.shape) * (info.max // 2 if not floating else 1)
    else:
        x[:] = np.linspace(float(info.min) / 4, float(info.max) / 4, x.size).reshape(x.shape).astype(dtype)
    check(x, share=share, ratio=10)
    check(x, share=share, max_error=0)
    check(x, share=share, psnr=35)


@pytest.mark.usefixtures("few_steps")
def test_a_stream_that_does_not_decode_is_replaced_by_a_lossless_one(smooth, monkeypatch, caplog):
    def broken(*_):
        raise CorruptStreamError("it is broken")

    monkeypatch.setattr("tinc_codec.encoding.verified.Chunk", SimpleNamespace(of=broken))
    data = encode(smooth, Config(ratio=16, effort=1))
    assert (decode(data) == smooth).all()
    assert "it is broken" in caplog.text


@pytest.mark.usefixtures("few_steps")
def test_what_cannot_meet_the_ratio_is_the_smallest_form_and_logged(caplog):
    x = np.random.default_rng(0).integers(0, 2**16, (6, 7)).astype("u2")
    data = encode(x, Config(ratio=50, effort=1))
    assert len(data) <= x.nbytes + 40
    assert "instead of the 1 of ratio 50" in caplog.text


def test_chunks_of_nothing_but_special_values_are_exact():
    x = np.random.default_rng(0).choice([np.nan, np.inf, -np.inf], (30, 30))
    data = encode(x, Config(ratio=500, effort=1))
    assert decode(data).tobytes() == x.tobytes()


@pytest.mark.usefixtures("few_steps")
def test_the_threshold_is_in_the_units_of_the_data():
    volume = np.random.default_rng(0).integers(100, 200, (64, 64)).astype("u2")
    volume[:32, :32] += 3000
    settings = {"ratio": 8, "levels": 3, "intra_level": "importance", "effort": 1, "network_share": 1}
    below, between, above = (
        len(inspect(encode(volume, Config(threshold=t, **settings))).levels[-1].widths) for t in (50, 1000, 9000)
    )
    assert (below, above) == (1, 1)  # all blocks alike: every voxel is important, or none
    assert between > 1


def test_too_many_axes_are_refused():
    with pytest.raises(UnsupportedDataError, match="at most 32 axes"):
        prepare(np.zeros((1,) * (LARGEST_RANK + 1)), Config())
