"""Label images."""

import numpy as np

SHAPE = (32, 32, 32)


def objects(edge=32, number=150, ragged=1.2, seed=3):
    """A label image of many small objects with arbitrary names and ragged borders."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, edge, (number, 3))
    places = np.indices((edge,) * 3).reshape(3, -1).T + rng.normal(0, ragged, (edge**3, 3))
    nearest = ((places[:, None] - centres) ** 2).sum(-1).argmin(1)
    return rng.permutation(3000)[nearest].reshape((edge,) * 3).astype("u4") + 1
