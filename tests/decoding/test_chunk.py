"""Every way to read a part gives the bytes that the whole has there."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models import random_residual, random_stream
from tinc_codec import TINCCodec, decode, sample, set_process
from tinc_codec.decoding.cache import _Key, chunks
from tinc_codec.errors import ConfigurationError, SelectionError
from tinc_codec.tree import inference

SHAPES = [(), (1,), (40,), (17, 20), (1, 33), (9, 16, 17), (2, 15, 3, 16), (2, 2, 1, 3, 16), (3, 2, 2, 9, 17)]
DTYPES = ["u1", ">u2", "<i4", "u8", "i8", "f2", ">f4", "f8"]


def streams(rng, shape, dtype, kind):
    """A stream of one of the kinds that the format knows."""
    order = "F" if rng.random() < 0.5 else "C"
    if kind == "network":
        return random_stream(rng, shape, dtype, order, levels=int(rng.integers(1, 5)))
    if kind == "lossless":
        values = rng.normal(0, 30, shape).round() + 100
        return TINCCodec(max_error=0).encode(np.array(values, dtype, order=order))
    made = {"model": "model" in kind, "exact": "exact" in kind, "crop": "crop" in kind}
    return random_residual(rng, shape, dtype, order, int(rng.choice([1, 3, 9])), **made)[0]


KINDS = ["network", "lossless", "residual", "residual and exact and crop", "model and residual", "model and exact"]


def random_selection(rng, shape):
    """Any of NumPy's selections, by what zarr passes on and what people type."""

    def index(n):
        return int(rng.integers(-n, n))

    def a_slice(n):
        ends = sorted(int(k) for k in rng.integers(-2, n + 2, 2))
        step = int(rng.choice([1, 1, 2, 3, 7, -1, -3]))
        start, stop = (ends[0], ends[1]) if step > 0 else (ends[1], ends[0])
        return slice(start if rng.random() < 0.8 else None, stop if rng.random() < 0.8 else None, step)

    def an_array(n):
        return rng.integers(-n, n, int(rng.integers(0, 6)))

    kind = rng.integers(0, 6)
    if kind == 0:
        return tuple(index(n) if rng.random() < 0.4 else a_slice(n) for n in shape)
    if kind == 1:
        return tuple(a_slice(n) for n in shape[: rng.integers(0, len(shape) + 1)])
    if kind == 2:
        return np.ix_(*(an_array(n) for n in shape))
    if kind == 3:
        count = int(rng.integers(0, 30))
        return tuple(rng.integers(-n, n, count) for n in shape)
    if kind == 4:
        return rng.random(shape) < rng.choice([0.01, 0.5])
    mixed = [[index, a_slice, an_array][rng.integers(0, 3)](n) for n in shape]
    arrays = [place for place, item in enumerate(mixed) if isinstance(item, np.ndarray)]
    for place in arrays[1:]:
        mixed[place] = a_slice(shape[place])
    return (*mixed[:1], Ellipsis, *mixed[1:])


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    kind=st.sampled_from(KINDS),
    decoder=st.sampled_from(["numpy", "auto"]),
)
def test_a_part_has_the_bytes_of_the_whole(seed, shape, dtype, kind, decoder):
    rng = np.random.default_rng(seed)
    stream = streams(rng, shape, dtype, kind)
    set_process(decoder="numpy")
    whole = decode(stream)
    set_process(decoder=decoder)
    assert decode(stream).tobytes() == whole.tobytes()
    for _ in range(4):
        selection = random_selection(rng, shape)
        expected = whole[selection]
        part = decode(stream, selection)
        assert (part.shape, part.dtype, part.flags.writeable) == (expected.shape, whole.dtype, True)
        part += part.dtype.type(1) * (part.size > 0)  # what is kept for the next read must not change
        part = decode(stream, selection)
        assert part.tobytes() == np.asarray(expected, whole.dtype).tobytes()  # a scalar has the native byte order


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from([s for s in SHAPES if s]),
    dtype=st.sampled_from(DTYPES),
    kind=st.sampled_from(KINDS),
)
def test_samples_at_the_centres_of_voxels_are_the_voxels(seed, shape, dtype, kind):
    rng = np.random.default_rng(seed)
    stream = streams(rng, shape, dtype, kind)
    at = np.stack([rng.integers(0, n, (3, 7)) for n in shape])
    answer = sample(stream, at)
    assert answer.dtype == np.dtype(dtype)
    assert answer.tobytes() == decode(stream)[tuple(at)].tobytes()


@pytest.mark.parametrize("decoder", ["numpy", "auto"])
def test_between_voxels_a_network_is_evaluated_and_the_rest_interpolated(decoder):
    set_process(decoder=decoder)
    ramp = np.add.outer(np.arange(20) * 10.0, np.arange(30)).astype("f4")
    stream = TINCCodec(max_error=0).encode(ramp)
    at = np.array([[3.25, 7.5, 0.0], [4.5, 28.75, 29.0]])
    assert sample(stream, at) == pytest.approx(at[0] * 10 + at[1], abs=1e-4)
    assert sample(stream, at.reshape(2, 3, 1)).shape == (3, 1)
    network = random_stream(np.random.default_rng(0), (64, 64), "f8", levels=2, empty=0.0)
    fine = sample(network, np.stack([np.full(5, 10.0), np.linspace(11, 12, 5)]))
    assert fine[0] == decode(network)[10, 11]
    assert fine[-1] == decode(network)[10, 12]
    assert len(set(fine.tolist())) == 5


def test_samples_near_an_exact_value_do_not_take_part_of_it():
    values = np.full((20, 20), 5.0, "f4")
    values[4, 4] = np.nan
    values[:, 10:] = 7
    stream = TINCCodec(max_error=0.01).encode(values)
    near = sample(stream, [[4.0, 4.4, 4.6, 4.0], [4.0, 4.4, 4.6, 9.5]])
    assert np.isnan(near[:2]).all()
    assert near[2] == pytest.approx(5, abs=0.02)
    assert near[3] == pytest.approx(6, abs=0.02)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ([[0.0]], "2 rows"),
        ([[-0.6], [0.0]], "axis 0 must be from -0.5 to 19.5"),
        ([[0.0], [30.0]], "axis 1 must be from -0.5 to 29.5"),
        ([[0.0], [np.nan]], "axis 1"),
    ],
)
def test_positions_outside_are_refused(at, message):
    stream = TINCCodec(max_error=0).encode(np.zeros((20, 30)))
    with pytest.raises(SelectionError, match=message):
        sample(stream, at)


def test_selections_outside_are_refused():
    stream = TINCCodec(max_error=0).encode(np.arange(30).reshape(5, 6))
    for selection in [5, (0, 0, 0), ([1, 7], [0, 0]), (slice(None), [6]), np.ones((4, 4), bool), "x", 1.5]:
        with pytest.raises(IndexError):
            decode(stream, selection)


def test_the_cache_is_bounded_in_bytes_and_serves_the_same_stream():
    rng = np.random.default_rng(0)
    made = [random_residual(rng, (64, 64), "u2", "C", 1)[0] for _ in range(6)]
    chunks.clear()
    decode(made[0], (3, slice(None)))
    with chunks.reading(made[0]) as first:
        pass
    with chunks.reading(bytes(bytearray(made[0]))) as again:
        assert again is first
    one = chunks.nbytes
    assert one > len(made[0]) + 64 * 64 * 2  # the decoded tile is counted
    set_process(cache=3 * one)
    for stream in made:
        decode(stream, (3, slice(None)))
        assert chunks.nbytes <= 3 * one
    assert 1 <= len(chunks) < 6
    set_process(cache=0)
    decode(made[0], (3, slice(None)))
    assert (len(chunks), chunks.nbytes) == (0, 0)


def test_streams_that_end_alike_are_not_taken_for_each_other():
    one, other = (_Key(head + b"the same checksum") for head in (b"1", b"2"))
    assert hash(one) == hash(other)
    assert one != other
    assert one == _Key(bytes(bytearray(one.stream)))
    assert len({one: 1, other: 2, _Key(other.stream): 3}) == 2


@pytest.mark.parametrize("decoder", ["numpy", "auto"])
def test_scrubbing_through_planes_uses_what_was_evaluated_and_gives_the_same_bytes(decoder, monkeypatch):
    stream = random_stream(np.random.default_rng(13), (64, 16, 32), "u2", levels=3, empty=0.0)
    set_process(decoder="numpy")
    whole = decode(stream)
    set_process(decoder=decoder)
    chunks.clear()
    roots = []
    real = inference._node
    monkeypatch.setattr(inference, "_node", lambda *a: roots.append(a[1] == 0) or real(*a))
    for z in range(64):
        assert decode(stream, z).tobytes() == whole[z].tobytes()
    if decoder == "numpy":
        with chunks.reading(stream) as chunk:
            tree = chunk.predictor
            assert sum(roots) == tree.model.tree.partition.leaf_shape[0]  # once for each local plane
            assert chunk.nbytes > tree.nbytes > tree.layout.nbytes


def test_a_whole_chunk_leaves_nothing_in_the_cache():
    chunks.clear()
    decode(random_stream(np.random.default_rng(0), (32, 32), "u2"))
    assert len(chunks) == 0


def test_process_settings_are_checked(monkeypatch):
    with pytest.raises(ConfigurationError, match="decoder='fortran'"):
        set_process(decoder="fortran")
    monkeypatch.setenv("TINC_DECODER", "numpy")
    monkeypatch.setenv("TINC_CACHE", "12")
    from tinc_codec import process

    assert (process().decoder, process().cache) == ("numpy", 12)
