import copy
import itertools
import pickle

import numcodecs
import numpy as np
import pytest

from tinc_codec import (
    ConfigurationError,
    CorruptStreamError,
    MissingDependencyError,
    TINCCodec,
    UnsupportedDataError,
    decode,
    metrics,
)
from tinc_codec.decoding.inspect import inspect
from tinc_codec.stream.container import Section, unpack

pytest.importorskip("torch")

QUICK = TINCCodec(ratio=16, effort=1, levels=2, network_share=1)
DTYPES = ["u1", "<u2", ">u2", "u4", "u8", "i1", "i2", ">i4", "i8", "f2", "<f4", ">f4", "f8"]


@pytest.fixture(autouse=True)
def fewer_steps(monkeypatch):
    """Half of the least effort: enough that a volume is recognised."""
    from tinc_codec.encoding.fit import training

    monkeypatch.setitem(training.STEPS, 1, training.STEPS[1] // 2)


def quality(original, decoded):
    a, b = np.asarray(original, np.float64), np.asarray(decoded, np.float64)
    return metrics.psnr(a, b, float(a.max() - a.min()))


@pytest.mark.parametrize(("dtype", "order"), list(zip(DTYPES, itertools.cycle("CF"), strict=False)))
def test_shape_dtype_and_order_come_back(smooth, dtype, order):
    kind = np.dtype(dtype)
    scaled = (smooth - 1000.0) / 2000
    if kind.kind == "f":
        values = scaled
    else:
        info = np.iinfo(kind)
        values = np.clip(info.min / 2 + scaled * (info.max / 2.0 - info.min / 2.0), info.min / 2, info.max / 1.1)
    given = np.array(values, dtype=kind, order=order)
    before = given.copy()
    data = QUICK.encode(given)
    got = QUICK.decode(data)
    assert (given == before).all()
    assert got.shape == given.shape
    assert got.dtype.str == given.dtype.str
    assert got.flags.f_contiguous == given.flags.f_contiguous
    assert len(data) <= given.nbytes / 16
    assert quality(given, got) > 25


@pytest.mark.parametrize("shape", [(3000,), (50, 60), (1, 50, 60), (9, 8, 16, 17), (2, 3, 3, 12, 16)])
def test_any_number_of_axes(shape):
    axes = np.meshgrid(*(np.linspace(0, 2, n) for n in shape), indexing="ij")
    x = np.sin(sum(axes) * 3).astype("f4")
    data = QUICK.encode(x)
    assert decode(data).shape == shape
    assert quality(x, decode(data)) > 15


def test_views_and_read_only_arrays_are_encoded_as_what_they_show(smooth):
    view = smooth[::2, ::-1, 3:]
    view.flags.writeable = False
    assert QUICK.encode(view) == QUICK.encode(np.ascontiguousarray(view))


def test_the_ratio_is_met_and_used(smooth):
    volume = np.tile(smooth, (2, 2, 2)) + np.random.default_rng(0).integers(0, 20, (40, 48, 56)).astype("u2")
    for ratio in (10, 40, 200):
        data = TINCCodec(ratio=ratio, effort=1).encode(volume)
        budget = volume.nbytes / ratio
        assert 0.9 * budget <= len(data) <= budget


def test_a_seed_makes_bytes_repeatable(smooth):
    assert QUICK.encode(smooth) == QUICK.encode(smooth)
    assert QUICK.encode(smooth) != TINCCodec(ratio=16, effort=1, seed=1).encode(smooth)


def test_values_stay_within_the_range_of_the_data(smooth):
    got = QUICK.decode(QUICK.encode(smooth))
    assert got.min() >= smooth.min()
    assert got.max() <= smooth.max()


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_non_finite_values_come_back_exactly_at_their_places(special):
    x = np.sin(np.linspace(0, 20, 4000)).reshape(50, 80).astype("f4")
    x[10:30, 20:40] = special
    x[0, 0] = special
    got = decode(QUICK.encode(x))
    assert ((got == special) | np.isnan(got) == (~np.isfinite(x))).all()
    assert got[~np.isfinite(x)].tobytes() == x[~np.isfinite(x)].tobytes()
    finite = np.isfinite(x)
    assert quality(x[finite], got[finite]) > 25


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((0, 5), "u2"),
        np.array(7, "i4"),
        np.array([3.5]),
        np.full((30, 30), 9, ">u2"),
        np.full((30, 30), np.nan),
        np.array([[1, 2], [3, 60000]], "u2"),
        np.full((1, 1, 1), -0.0),
    ],
    ids=str,
)
def test_small_and_constant_chunks_are_exact(values):
    got = decode(QUICK.encode(values))
    assert got.shape == values.shape
    assert got.tobytes() == values.tobytes()


@pytest.mark.parametrize("scale", [1e-300, 1e-42, 1e-30, 1e30, 1e300])
def test_extreme_ranges(scale):
    dtype = "f4" if 1e-40 > scale > 1e-50 else "f8"
    x = (np.sin(np.linspace(0, 20, 4000)) * scale).reshape(50, 80).astype(dtype)
    got = decode(TINCCodec(ratio=16, effort=1).encode(x))
    assert np.abs(got - x).max() < 0.3 * scale


def test_extreme_integers():
    x = np.linspace(0, 2**64 - 2**12, 4096).reshape(64, 64).astype("u8")
    got = decode(QUICK.encode(x))
    assert metrics.max_error(x, got) < 0.2 * 2.0**64
    x = x.view("i8") ^ np.int64(-(2**63))
    assert metrics.max_error(x, decode(QUICK.encode(x))) < 0.2 * 2.0**64


def test_noise_is_encoded_whatever_it_looks_like():
    x = np.random.default_rng(0).integers(0, 2**16, (40, 40, 40)).astype("u2")
    data = QUICK.encode(x)
    assert len(data) <= x.nbytes / 16
    assert decode(data).shape == x.shape


@pytest.mark.parametrize(
    ("array", "advice"),
    [
        (np.zeros(4, bool), "view booleans as uint8"),
        (np.zeros(4, "c8"), "store real and imaginary parts"),
        (np.zeros(4, "M8[s]"), "view times as int64"),
        (np.zeros(4, "m8[s]"), "view times as int64"),
        (np.zeros(4, object), "give integers"),
        (np.zeros(4, "S3"), "give integers"),
        (np.zeros(4, [("a", "u2"), ("b", "u2")]), "give integers"),
        (np.zeros(4, np.longdouble), "give integers"),
        (b"bytes", "before any codec that turns arrays into bytes"),
    ],
)
def test_data_that_cannot_be_stored_are_refused(array, advice):
    with pytest.raises(UnsupportedDataError, match=advice):
        QUICK.encode(array)


def test_identity():
    codec = TINCCodec(ratio=20, intra_level="variance", effort=2)
    for twin in (
        pickle.loads(pickle.dumps(codec)),
        copy.deepcopy(codec),
        TINCCodec.from_config({k: v for k, v in codec.get_config().items() if k != "id"}),
        numcodecs.get_codec(codec.get_config()),
        eval(repr(codec)),
    ):
        assert twin == codec
        assert hash(twin) == hash(codec)
    assert codec != TINCCodec(ratio=20)
    assert codec != "tinc"
    assert repr(TINCCodec()) == "TINCCodec(ratio=64.0)"


def test_numcodecs_finds_the_codec_by_its_entry_point():
    from importlib.metadata import entry_points

    (entry,) = entry_points(group="numcodecs.codecs", name="tinc")
    assert entry.load() is TINCCodec
    assert isinstance(numcodecs.get_codec({"id": "tinc", "ratio": 20, "of_a_newer_version": 1}), TINCCodec)


def test_wrong_settings_are_refused_at_once():
    with pytest.raises(ConfigurationError, match="ratio=0"):
        TINCCodec(ratio=0)
    with pytest.raises(TypeError, match="rate"):
        TINCCodec(rate=5)


@pytest.mark.parametrize("order", ["C", "F"])
def test_decoding_into_a_buffer(smooth, order):
    given = np.array(smooth, order=order)
    data = QUICK.encode(given)
    expected = QUICK.decode(data)
    for out in (
        np.empty_like(given),
        np.empty(given.shape, given.dtype),
        np.empty(given.shape, given.dtype, order="F"),
    ):
        assert QUICK.decode(data, out=out) is out
        assert (out == expected).all()
    raw = bytearray(given.nbytes)
    QUICK.decode(data, out=raw)
    assert bytes(raw) == expected.tobytes(order="A")


def test_any_buffer_can_be_decoded(smooth):
    data = QUICK.encode(smooth)
    for buffer in (bytearray(data), memoryview(data), np.frombuffer(data, "u1")):
        assert (QUICK.decode(buffer) == QUICK.decode(data)).all()


def test_encoding_without_torch_names_the_extra(smooth, monkeypatch):
    import sys

    for name in [n for n in sys.modules if n.startswith("tinc_codec.encoding.fit")]:
        monkeypatch.delitem(sys.modules, name)
    import tinc_codec

    monkeypatch.delattr(tinc_codec, "fit", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'tinc-codec\[torch\]'"):
        QUICK.encode(smooth)


def test_training_that_fails_falls_back_to_lossless(smooth, monkeypatch, caplog):
    from tinc_codec.encoding.fit import training
    from tinc_codec.errors import TrainingError

    def fail(*_):
        raise TrainingError("it diverged")

    monkeypatch.setattr(training, "fit", fail)
    data = QUICK.encode(smooth)
    assert (decode(data) == smooth).all()
    assert inspect(data).kind == "lossless"
    assert "it diverged" in caplog.text


def test_lossless_is_preferred_where_it_meets_the_ratio():
    x = np.zeros((64, 64), "u2")
    x[3, 4] = 5
    data = QUICK.encode(x)
    assert Section.LOSSLESS in unpack(data).sections
    assert (decode(data) == x).all()


def test_another_device_than_the_cpu_decodes_with_torch(smooth):
    from tinc_codec import set_process

    data = QUICK.encode(smooth)
    expected = decode(data)
    set_process(device="cpu")
    assert decode(data).tobytes() == expected.tobytes()
    set_process(device="cuda:99")
    with pytest.raises(ConfigurationError, match="'cuda:99' cannot be used"):
        decode(data)
    with pytest.raises(ConfigurationError, match="TINC_DEVICE"):
        QUICK.encode(smooth)


@pytest.mark.parametrize("data", [b"", b"TINC", bytearray(b"no stream"), np.zeros(0, "u1")])
def test_bytes_that_are_no_stream_are_refused(data):
    with pytest.raises(CorruptStreamError):
        QUICK.decode(data)
