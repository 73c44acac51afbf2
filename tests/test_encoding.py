"""`encode` never raises because of a chunk's values, whatever they are, and never breaks a promise to say so."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinc_codec import Config, decode
from tinc_codec.encoding import encode
from tinc_codec.errors import CorruptStreamError, UnsupportedDataError
from tinc_codec.inspection import inspect
from tinc_codec.source import prepare
from tinc_codec.stream.container import LARGEST_RANK

training = pytest.importorskip("tinc_codec.fit.training")

DTYPES = ["u1", "<u2", ">u4", "u8", "i1", "i8", "f2", "<f4", ">f8"]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda code: hnp.arrays(np.dtype(code), hnp.array_shapes(min_dims=0, max_dims=5, max_side=9))
)


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(training, "STEPS", dict.fromkeys(range(1, 10), 12))
    monkeypatch.setattr(training, "_CORRECTIONS", 1)


def check(array, ratio):
    data = encode(array, Config(ratio=ratio, effort=1))
    got = decode(data)
    assert got.shape == array.shape
    assert got.dtype.str == array.dtype.str
    told = inspect(data)
    if told.kind == "lossless":
        assert got.tobytes(order="C") == array.tobytes(order="C")
        return
    if array.dtype.kind == "f":
        special = ~np.isfinite(array)
        assert got[special].tobytes() == array[special].tobytes()
    assert got[np.isfinite(got)].min() >= told.quality.low
    assert got[np.isfinite(got)].max() <= told.quality.high


@pytest.mark.usefixtures("few_steps")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(array=arrays, ratio=st.sampled_from([1.5, 8, 200]))
def test_any_values_can_be_encoded(array, ratio):
    check(array, ratio)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["full range", "denormal", "one outlier", "two values", "ramp"])
def test_awkward_values_can_be_encoded(dtype, kind):
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
    check(x, 10)


@pytest.mark.usefixtures("few_steps")
def test_a_stream_that_does_not_decode_is_replaced_by_a_lossless_one(smooth, monkeypatch, caplog):
    def broken(_):
        raise CorruptStreamError("it is broken")

    monkeypatch.setattr("tinc_codec.modelling.samples", broken)
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
    settings = {"ratio": 8, "levels": 3, "intra_level": "importance", "effort": 1}
    below, between, above = (
        len(inspect(encode(volume, Config(threshold=t, **settings))).levels[-1].widths) for t in (50, 1000, 9000)
    )
    assert (below, above) == (1, 1)  # all blocks alike: every voxel is important, or none
    assert between > 1


def test_too_many_axes_are_refused():
    with pytest.raises(UnsupportedDataError, match="at most 32 axes"):
        prepare(np.zeros((1,) * (LARGEST_RANK + 1)))
