"""Trials of a bench without a codec: samples with so much noise."""

import numpy as np

from tinc_codec.bench.comparison import Trial, middle_plane

RNG = np.random.default_rng(9)


def a_trial(reference, goal, codec, size, error):
    volume = reference.volume
    decoded = volume + RNG.normal(0, error, volume.shape).astype("f4") if error else volume
    return Trial(goal, codec, volume.nbytes, size, 0.5, 0.02, reference.compare(decoded), middle_plane(decoded))
