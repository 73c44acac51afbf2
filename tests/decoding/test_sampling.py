"""Between voxels: at their centres the voxels themselves, elsewhere the network or what is interpolated."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.decoding.kinds import DTYPES, KINDS, SHAPES, streams
from tests.models import random_stream
from tinc_codec import TINCCodec, decode, sample, set_process
from tinc_codec.errors import SelectionError


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
