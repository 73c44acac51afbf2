"""Random plans, models and numbers."""

import numpy as np
from hypothesis import strategies as st

from tinc_codec.detail import scale, tables
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.layout import layout
from tinc_codec.detail.model import Model, magnitudes_of
from tinc_codec.detail.plan import AXES, Group, Plan


@st.composite
def plans(draw, largest=20):
    shape = tuple(draw(st.integers(1, n)) for n in (3, largest, largest, largest))
    owner = [draw(st.integers(0, AXES - 1)) for _ in range(AXES)]
    groups = []
    for number in sorted(set(owner)):
        axes = tuple(axis for axis in range(AXES) if owner[axis] == number)
        groups.append(Group(axes, draw(st.integers(0, 3))))
    return Plan(shape, tuple(groups), 1 << draw(st.integers(3, 5)))


def random_model(plan, seed):
    """A model and numbers of every size, some bands with low bits, some of nothing but 0."""
    rng = np.random.default_rng(seed)
    parts = layout(plan)
    numbers = np.zeros(parts.size, np.int32)
    means, shifts = np.zeros(len(plan.bands), np.int64), np.zeros(len(plan.bands), np.uint8)
    for band in range(len(plan.bands)):
        view = parts.view(numbers, band)
        view[...] = np.rint(rng.standard_t(2, size=view.shape) * rng.choice([0, 0.1, 0.5, 3, 400, 1e6]))
        if view.any():
            shifts[band] = rng.integers(0, 24) if np.abs(view).max() > 60 else 0
            means[band] = scale.mean_of(int(rng.integers(1, scale.LARGEST_MEAN + 1)))
    weights = np.maximum(PRESETS[0] + rng.integers(-9, 10, PRESETS[0].shape), 0)
    deltas = rng.integers(-6, 7, tables.DEFAULTS.shape).astype(np.int32)
    return Model(parts, weights, means, shifts, tables.class_tables(deltas)), numbers


def smooth(shape, seed=0, noise=0.05):
    """A volume that compresses."""
    rng = np.random.default_rng(seed)
    grids = np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij")
    wave = sum(np.sin(grid * (2 + k)) for k, grid in enumerate(grids))
    return wave + noise * rng.standard_normal(shape)


def known(model, numbers):
    """What all numbers count as, band by band."""
    magnitudes = np.zeros(numbers.size, np.uint8)
    for band, shift in enumerate(model.shifts.tolist()):
        model.layout.view(magnitudes, band)[...] = magnitudes_of(model.layout.view(numbers, band), shift)
    return magnitudes
