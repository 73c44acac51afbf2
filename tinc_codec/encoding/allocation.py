"""From a budget to a tree: cross-level, inter-level and intra-level allocation (TINC, CVPR 2023)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.config import Config
from tinc_codec.runtime.settings import WORK
from tinc_codec.tree.partition import Partition, partition
from tinc_codec.tree.structure import NO_NETWORK, Level, Tree

PARAMETERS_PER_LEAF = 1500
"""Levels are chosen so that the budget gives about this many parameters to every leaf that has a network."""

GROWTH = {"shallow": 0.2, "even": 0.45, "deep": 0.65}
"""A level's share over the share of the level above it is its number of children to this power."""

SIMILAR, DISSIMILAR = 0.7, 0.6
"""The paper's rule: above the first shallow levels gain, under the second deep ones."""

UNEVEN = 0.4
"""Relative dispersion of the leaves' standard deviations from which `variance` beats `equal`."""

ROOT_LAYERS, NODE_LAYERS = 2, 2
"""Sine layers of the root, and of every other node."""

CLASSES = 3
"""Most widths of one level; each is one batched product for each width above it."""

NARROWEST, WIDEST = 0.35, 3.0
"""Bounds of a node's width relative to its level's mean."""

CONSTANTS_SHARE = 0.2
"""Most of the budget that constant leaves' values may take; where it takes more, they get networks instead."""

_SAMPLED_BLOCKS = 128


@dataclass(frozen=True, eq=False)
class Allocation:
    """A tree and why it is so.

    Parameters
    ----------
    tree
        The tree.
    inter_level, intra_level
        The names in force, ``"auto"`` resolved; ``"shares"`` for explicit shares.
    similarity
        How alike distant blocks are, 0 to 1.
    """

    tree: Tree
    inter_level: str
    intra_level: str
    similarity: float


def allocate(volume: NDArray[np.float64], parameters: int, config: Config) -> Allocation | None:
    """Choose the tree for a chunk.

    Parameters
    ----------
    volume
        The chunk, 1 to 4 axes, finite.
    parameters
        Budget: the most parameters that the tree may have.
    config
        The three allocations and the tolerance for constant blocks; `threshold` in the units of `volume`.

    Returns
    -------
    Allocation or None
        None where not even the smallest network fits the budget.
    """
    constant = constant_leaves(volume, parameters, config.constant_tolerance)
    if config.levels == "auto":
        levels = choose_levels(parameters, {n: int(np.count_nonzero(~leaves)) for n, leaves in constant.items()})
    else:
        levels = min(config.levels, max(constant))
    part = partition(volume.shape, levels)
    blocks = part.to_blocks(volume)
    alike = similarity(volume)
    inter = _inter_level(config.inter_level, alike)
    spread = blocks.std(1)
    intra = _intra_level(config.intra_level, spread[~constant[levels]])
    weights = leaf_weights(intra, blocks, spread, config.threshold)
    classes = tuple(_level_classes(part, level, weights, constant[levels]) for level in range(part.levels))
    shares = config.inter_level if isinstance(config.inter_level, tuple) else None
    if shares is None:
        shares = tuple(part.nodes(level) ** GROWTH[inter] for level in range(part.levels))
    shares = shares[: part.levels]
    tree = fit_widths(part, classes, [share / sum(shares) for share in shares], parameters)
    return None if tree is None else Allocation(tree, inter, intra, alike)


def constant_leaves(volume: NDArray[np.float64], parameters: int, tolerance: float) -> dict[int, NDArray[np.bool_]]:
    """For every possible number of levels, which leaves vary by at most `tolerance` of the range."""
    finest = partition(volume.shape, 64)
    blocks = finest.to_blocks(volume)
    high, low = blocks.max(1), blocks.min(1)
    limit = tolerance * (high.max() - low.min())
    answer: dict[int, NDArray[np.bool_]] = {}
    for levels in range(finest.levels, 0, -1):
        constant = high - low <= limit
        changes = np.count_nonzero(np.diff(low[constant]))
        answer[levels] = constant if changes <= CONSTANTS_SHARE * parameters / 4 else np.zeros_like(constant)
        fanout = finest.fanout(levels - 1)
        high, low = high.reshape(-1, fanout).max(1), low.reshape(-1, fanout).min(1)
    return answer


def choose_levels(parameters: int, active: dict[int, int]) -> int:
    """Cross-level allocation: the number of levels, given for each how many leaves would have a network."""
    wanted = max(parameters, 1) / PARAMETERS_PER_LEAF
    return min(sorted(active), key=lambda levels: abs(math.log(wanted / max(active[levels], 0.5))))


def similarity(volume: NDArray[np.float64]) -> float:
    """How alike distant blocks are, 0 to 1: the mean cosine between the power spectra of blocks far apart.

    Spectra forget where in its block a structure lies, which a dictionary of local functions can follow by its phases.
    Blocks have about 16 voxels along an axis, and are numbered along the tree, so that half the blocks away in number
    is far away in space. Constant blocks do not count.
    """
    part = partition(volume.shape, max(1, partition(volume.shape, 64).levels - 1))
    blocks = part.to_blocks(volume)
    blocks = blocks[np.ptp(blocks, axis=1) > 0]
    if len(blocks) < 2:
        return 1.0
    chosen = np.unique(np.linspace(0, len(blocks) - 1, _SAMPLED_BLOCKS).astype(int))
    sample = blocks[chosen].reshape(-1, *part.leaf_shape)
    axes = tuple(range(1, sample.ndim))
    spectra = np.abs(np.fft.rfftn(sample - sample.mean(axes, keepdims=True), axes=axes)) ** 2
    spectra = spectra.reshape(len(sample), -1)
    norms = np.linalg.norm(spectra, axis=1)
    if np.count_nonzero(norms) < 2:  # squares of the smallest differences are 0
        return 1.0
    spectra = spectra[norms > 0] / norms[norms > 0, None]
    far = np.roll(spectra, len(spectra) // 2, axis=0)
    return float((spectra * far).sum(1).mean())


def _inter_level(setting: str | tuple[float, ...], alike: float) -> str:
    if isinstance(setting, tuple):
        return "shares"
    if setting != "auto":
        return setting
    return "shallow" if alike > SIMILAR else "deep" if alike < DISSIMILAR else "even"


def _intra_level(setting: str, spread: NDArray[np.float64]) -> str:
    if setting != "auto":
        return setting
    mean = spread.mean() if len(spread) else 0.0
    return "variance" if mean > 0 and spread.std() > UNEVEN * mean else "equal"


def leaf_weights(
    intra: str, blocks: NDArray[np.float64], spread: NDArray[np.float64], threshold: float | None
) -> NDArray[np.float64]:
    """Intra-level allocation: how much of its level's budget each leaf is worth, up to a factor."""
    if intra == "equal":
        return np.ones(len(blocks))
    if intra == "variance":
        return np.asarray(spread + 1e-3 * spread.max())
    limit = otsu_threshold(blocks) if threshold is None else threshold
    return np.asarray((blocks > limit).mean(1) + 0.02, np.float64)


def otsu_threshold(values: NDArray[np.float64]) -> float:
    """Threshold that best separates dark from bright voxels (Otsu 1979), over 256 bins of the range."""
    counts, edges = np.histogram(values, bins=256)
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    total = np.cumsum(counts * (edges[:-1] + edges[1:]) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (total[:-1] / below - (total[-1] - total[:-1]) / above) ** 2
    between = np.nan_to_num(between)
    best = np.flatnonzero(between == between.max())  # an empty gap is a plateau: take its middle
    return float(edges[1 + best[len(best) // 2]])


def _level_classes(
    part: Partition, level: int, weights: NDArray[np.float64], constant: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], tuple[float, ...]]:
    """Class of every node of a level, and each class's width relative to the level's mean."""
    nodes = part.nodes(level)
    active = (~constant).reshape(nodes, -1)
    worth = np.where(active, weights.reshape(nodes, -1), 0).sum(1)
    classes = np.full(nodes, NO_NETWORK, np.uint8)
    chosen = active.any(1)
    if not chosen.any():
        return classes, ()
    relative = np.clip(worth[chosen] / worth[chosen].mean(), NARROWEST, WIDEST)
    if level == 0 or np.ptp(relative) < 0.1 or np.all(weights == weights[0]):
        classes[chosen] = 1
        return classes, (1.0,)
    centres, members = _cluster(relative)
    classes[chosen] = members + 1
    return classes, centres


def _cluster(values: NDArray[np.float64]) -> tuple[tuple[float, ...], NDArray[np.int64]]:
    """At most `CLASSES` groups of similar values (Lloyd's algorithm from quantiles), smallest first."""
    centres = np.unique(np.quantile(values, (np.arange(CLASSES) + 0.5) / CLASSES))
    for _ in range(50):
        members = np.abs(values[:, None] - centres).argmin(1)
        kept = np.unique(members)
        moved = np.array([values[members == group].mean() for group in kept])
        if len(moved) == len(centres) and np.allclose(moved, centres):
            break
        centres = moved
    members = np.abs(values[:, None] - centres).argmin(1)
    return tuple(centres.tolist()), members


Classes = tuple[NDArray[np.uint8], tuple[float, ...]]


def fit_widths(part: Partition, classes: tuple[Classes, ...], shares: list[float], parameters: int) -> Tree | None:
    """The widest tree whose levels have these shares, within the budget and the work that every reader allows."""
    low, high, best = 0.0, 2.0, None
    for _ in range(24):
        middle = (low + high) / 2
        tree = _tree(part, classes, [share * middle * parameters for share in shares])
        if tree.parameters <= parameters and tree.products <= WORK * math.prod(part.shape):
            low, best = middle, tree
        else:
            high = middle
    return best


def _tree(part: Partition, classes: tuple[Classes, ...], budgets: list[float]) -> Tree:
    levels: list[Level] = []
    inputs = np.full(1, len(part.shape), np.float64)  # width of every node's parent
    for number, ((members, relative), budget) in enumerate(zip(classes, budgets, strict=True)):
        layers = ROOT_LAYERS if number == 0 else NODE_LAYERS
        active = members != NO_NETWORK
        factors = np.array([0.0, *relative])[members]
        inputs = np.repeat(inputs, part.fanout(number))
        last = number == len(classes) - 1
        # sum over nodes of f w (input + 1) + (layers - 1) (f w)^2 + ..., solved for the mean width w
        linear = float((factors * (inputs + layers + last)).sum())
        square = float((layers - 1) * (factors**2).sum())
        rest = budget - last * int(active.sum())
        width = _positive_root(square, linear, -rest)
        widths = tuple(max(1, math.floor(width * factor)) for factor in relative)
        levels.append(Level(layers, widths, members))
        inputs = np.array([0.0, *widths])[members]
    return Tree(part, tuple(levels))


def _positive_root(a: float, b: float, c: float) -> float:
    """Positive solution of ``a x^2 + b x + c = 0``, 0 where there is none."""
    if c >= 0 or b <= 0:
        return 0.0
    return -c / b if a == 0 else (math.sqrt(b * b - 4 * a * c) - b) / (2 * a)
