import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.decoding.kinds import DTYPES, KINDS, SHAPES, streams
from tests.models import decoded, random_model, random_residual
from tinc_codec import TINCCodec, decode, set_process
from tinc_codec.errors import ConfigurationError
from tinc_codec.stream import model_section as weights
from tinc_codec.stream.container import Container, Header, ModelKind, pack
from tinc_codec.tree.model import Model
from tinc_codec.tree.partition import Partition
from tinc_codec.tree.structure import Tree


def stream_of(model, shape):
    return pack(Container(Header(shape, model.dtype, "C", ModelKind.SINE_TREE, False), weights.pack(model)))


@given(
    seed=st.integers(0, 2**32),
    level=st.integers(1, 3),
    dtype=st.sampled_from(["u1", "i4", "u8", "f2", "f4"]),
    decoder=st.sampled_from(["numpy", "auto"]),
)
def test_a_level_is_what_the_same_networks_give_on_a_coarser_grid(seed, level, dtype, decoder):
    set_process(decoder=decoder)
    shape = (64, 32, 96)
    model = random_model(np.random.default_rng(seed), shape, dtype)
    tree = model.tree
    coarse = Partition(tuple(n >> level for n in shape), tree.partition.splits)
    small = Model(Tree(coarse, tree.levels), model.parameters, model.dtype, *model_range(model), model.constants)
    assert decode(stream_of(model, shape), level=level).tobytes() == decoded(small).tobytes()


def model_range(model):
    return model.offset, model.low, model.high


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    kind=st.sampled_from(KINDS),
)
def test_levels_of_every_kind_of_chunk(seed, shape, dtype, kind):
    rng = np.random.default_rng(seed)
    stream = streams(rng, shape, dtype, kind)
    level = tuple(int(k) for k in rng.integers(0, 4, len(shape)))
    set_process(decoder="numpy")
    expected = decode(stream, level=level)
    set_process(decoder="auto")
    got = decode(stream, level=level)
    assert got.tobytes(order="A") == expected.tobytes(order="A")
    assert got.shape == tuple(-(-n // 2**k) for n, k in zip(shape, level, strict=True))
    assert got.dtype == np.dtype(dtype)
    assert got.flags.writeable
    whole = decode(stream)
    assert got.flags.f_contiguous == whole.flags.f_contiguous or got.size < 2 or 1 in got.shape
    assert decode(stream, level=(0,) * len(shape)).tobytes() == whole.tobytes()
    selection = tuple(slice(int(rng.integers(0, n + 1)), None) for n in got.shape)
    part = np.array(got[selection], got.dtype)
    assert decode(stream, selection, level=level).tobytes() == part.tobytes()
    if kind in (
        "lossless",
        "residual",
        "residual and exact and crop",
    ):  # interpolated between samples: within their range
        assert (whole.min() <= got.min()) & (got.max() <= whole.max())


@pytest.mark.parametrize("max_error", [0, 3])
def test_chunks_without_a_predictor_are_interpolated_at_the_centres_of_cells(max_error, monkeypatch):
    monkeypatch.setattr("tinc_codec.encoding.coefficients.possible", lambda chunk: False)
    ramp = np.add.outer(np.add.outer(np.arange(72) * 9, np.arange(70) * 2), np.arange(90)).astype("u2")
    stream = TINCCodec(max_error=max_error).encode(ramp)
    for level in (1, 2, 3):
        cells = [np.minimum(np.arange(-(-n // 2**level)) * 2**level + (2**level - 1) / 2, n - 1) for n in ramp.shape]
        exact = np.add.outer(np.add.outer(cells[0] * 9, cells[1] * 2), cells[2])
        assert np.abs(decode(stream, level=level) - exact).max() <= max_error + 0.5 + 3 * (max_error > 0)


def test_coefficients_are_means_over_the_cells():
    rng = np.random.default_rng(0)
    waves = 400 + 300 * np.sin(np.indices((64, 48, 80)).sum(0) / 20)
    stream = TINCCodec(psnr=50).encode(np.rint(waves + rng.normal(0, 5, waves.shape)).astype("u2"))
    for level in (1, 2, 3):
        n = 2**level
        means = waves.reshape(64 // n, n, 48 // n, n, 80 // n, n).mean((1, 3, 5))
        off = np.abs(decode(stream, level=level) - means)
        assert off[1:-1, 1:-1, 1:-1].max() < 4 * n
        assert off.max() < 40  # a wavelet takes a chunk's border for a mirror


def test_a_residual_is_decoded_only_up_to_the_lattice(monkeypatch):
    from tinc_codec.residual import tiles as coding

    calls = []
    monkeypatch.setattr(coding, "predict", lambda *a, real=coding.predict: calls.append(a[1].level) or real(*a))
    stream, _ = random_residual(np.random.default_rng(0), (64, 64), "u2", "C", 1, model=False)
    set_process(decoder="numpy")
    decode(stream, level=2)
    assert calls
    assert min(calls) == 2


def test_missing_values_stay_missing_and_do_not_spread():
    values = np.full((32, 32), 8.0, "f4")
    values[:4] = np.nan
    values[17, 17] = np.nan
    for codec in (TINCCodec(max_error=0), TINCCodec(max_error=0.25)):
        coarse = decode(codec.encode(values), level=2)
        assert np.isnan(coarse[0]).all()
        assert np.isnan(coarse).sum() <= 9
        assert np.abs(coarse[np.isfinite(coarse)] - 8).max() <= 0.25


def test_padding_does_not_reach_the_coarser_cells_of_what_is_there():
    values = np.zeros((64, 64), "u2")
    values[:37, :50] = 1000
    coarse = decode(TINCCodec(max_error=0).encode(values), level=3)
    assert (coarse[:5, :7] == 1000).all()  # the last cells have 5 and 2 voxels of the data
    assert (coarse[5:] == 0).all()
    assert (coarse[:, 7:] == 0).all()


@pytest.mark.parametrize("level", [-1, 1.5, True, (1,), (1, 2, 3), (0, -1), 99])
def test_wrong_levels_are_refused(level):
    stream = TINCCodec(max_error=0).encode(np.zeros((20, 30)))
    with pytest.raises(ConfigurationError, match="level="):
        decode(stream, level=level)
