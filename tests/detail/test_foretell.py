"""Of two volumes the one that takes more bytes is foretold to cost more."""

import numpy as np
import pytest

from tinc_codec.backends.choice import backend
from tinc_codec.detail import foretell
from tinc_codec.detail.goals import Budget, Step, encode

SMOOTH = 900 + 300 * np.sin(np.indices((24, 30, 28)).sum(0) / 7)
NOISE = np.random.default_rng(0).normal(0, 20, SMOOTH.shape)


def edged(volume):
    volume = volume.copy()
    volume[6:17, 5:20, 8:19] = 0
    return volume


@pytest.mark.parametrize("change", [edged, lambda volume: volume + NOISE])
def test_edges_and_noise_cost_more(change):
    work = backend().detail
    dear = change(SMOOTH)
    costs = [foretell.cost(foretell.usual_coefficients(volume, work), 30.0) for volume in (dear, SMOOTH)]
    assert costs[0] > costs[1]
    assert len(encode(dear, Step(30.0), work)) > len(encode(SMOOTH, Step(30.0), work))


def test_a_step_for_a_size_is_about_that_of_the_encoder():
    work = backend().detail
    for size in (600, 3000):
        step = foretell.step(foretell.usual_coefficients(SMOOTH + NOISE, work), size)
        assert size / 3 < len(encode(SMOOTH + NOISE, Step(step), work)) < 3 * size
        assert len(encode(SMOOTH + NOISE, Budget(size), work)) <= size
