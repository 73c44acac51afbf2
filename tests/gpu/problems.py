"""Problems of training under coefficients, and of fitting samples: alike but for their samples."""

from dataclasses import replace

import numpy as np

from tinc_codec.backends.choice import backend
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Step, encode
from tinc_codec.encoding.fit import trainer
from tinc_codec.encoding.fit.samples import samples
from tinc_codec.encoding.fit.under_coefficients import Problem
from tinc_codec.encoding.fit.windows import Windows
from tinc_codec.encoding.shallow import LAYERS
from tinc_codec.phantom import light_sheet
from tinc_codec.tree.partition import partition
from tinc_codec.tree.structure import Level, Tree


def root(shape, width):
    """A root that is the only level."""
    return Tree(partition(shape, 1), (Level(LAYERS, (width,), np.ones(1, np.uint8)),))


def problems(edge, width, count):
    """So many chunks, twice as long as their windows along each axis."""
    shape, work = (2 * edge,) * 3, backend().detail
    tree, made = root(shape, width), []
    base = light_sheet((max(16, 2 * edge),) * 3, seed=1)[tuple(map(slice, shape))].astype(float)
    coded = Detail.parse(encode(base, Step(40.0), work), shape, work).parameters
    for seed in range(count):
        windows = Windows.of(tree, base + np.random.default_rng(seed).normal(0, 3, shape), edge**3)
        made.append(Problem(tree, windows, coded.plan, coded.scale, windows.mean, seed))
    return [replace(each, plan=made[0].plan) for each in made]


def samples_problems(edge, width, count):
    """So many chunks, as long as those, whose networks fit samples; any stream is as large as its budget."""
    shape = (2 * edge,) * 3
    tree = root(shape, width)
    base = light_sheet((max(16, 2 * edge),) * 3, seed=1)[tuple(map(slice, shape))].astype(float)
    volumes = [base + np.random.default_rng(seed).normal(0, 3, shape) for seed in range(count)]
    return [
        trainer.Problem(tree, samples(tree, each, None, 0.0), 1000, lambda _: 1000, seed)
        for seed, each in enumerate(volumes)
    ]
