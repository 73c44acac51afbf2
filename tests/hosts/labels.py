"""Label images."""

from functools import cache

import numpy as np
from scipy.spatial import cKDTree

SHAPE = (32, 32, 32)


@cache
def objects(edge=32, number=150, ragged=1.2, seed=3):
    """A label image of many small objects with arbitrary names and ragged borders."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, edge, (number, 3))
    places = np.indices((edge,) * 3).reshape(3, -1).T + rng.normal(0, ragged, (edge**3, 3))
    _, nearest = cKDTree(centres).query(places)
    labels = rng.permutation(3000)[nearest].reshape((edge,) * 3).astype("u4") + 1
    labels.flags.writeable = False
    return labels
