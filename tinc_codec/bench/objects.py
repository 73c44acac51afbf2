"""What a biologist counts: blobs that are detected, a segmented volume, and how bright its objects are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import MissingDependencyError

try:
    from scipy import ndimage
    from scipy.sparse.csgraph import maximum_bipartite_matching
    from scipy.spatial import cKDTree
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_otsu
except ImportError as error:
    raise MissingDependencyError(
        f"blobs and segments need scikit-image ({error}): pip install 'tinc-codec[bench]'"
    ) from error

_SIGMAS = (1.5, 2.0, 3.0)
"""Sizes of blobs that are looked for, in voxels: across, a blob has about three and a half times as many."""

_RATIO = 1.6
"""Between the two Gaussians whose difference is taken, as the Laplacian of one is approached best."""

_OVER_NOISE, _OVER_TEXTURE = 5.0, 3.0
"""Standard deviations of the response by which a blob stands out from noise, and from everything around."""

_SMALLEST = 8
"""Voxels of an object, at least."""

_TO_DEVIATION = 1 / 0.6744897501960817
"""From the median magnitude of a normal variable to its standard deviation."""


@dataclass(frozen=True)
class Detector:
    """Finds blobs of several sizes as maxima of differences of two Gaussians.

    Parameters
    ----------
    thresholds
        Of the response, in the data's units, for each size: the finer Gaussian's deviation in voxels.
    """

    thresholds: dict[float, float]

    @classmethod
    def of(cls, original: NDArray[Any], noise: float) -> Self:
        """The detector for a volume and the deviation of its noise, by these alone.

        A blob responds with more than 5 deviations of what noise responds with, and lies more than 3 robust deviations
        above the median of all responses.
        """
        return cls({sigma: _threshold(_response(original, sigma), sigma, noise) for sigma in _SIGMAS})

    def blobs(self, volume: NDArray[Any]) -> dict[float, NDArray[np.intp]]:
        """Positions in voxels for each size: one row a blob, one column an axis."""
        maxima = {}
        for sigma, threshold in self.thresholds.items():
            reach = round(sigma)
            # at a border samples are mirrored, and noise looks twice as much like a blob
            border = tuple(reach if n > 6 * reach else 0 for n in volume.shape)
            response = _response(volume, sigma)
            maxima[sigma] = peak_local_max(response, reach, threshold_abs=threshold, exclude_border=border)
        return maxima


def _response(volume: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    samples = volume.astype(np.float32)
    fine, coarse = (ndimage.gaussian_filter(samples, s, truncate=3) for s in (sigma, _RATIO * sigma))
    response: NDArray[np.float32] = fine - coarse
    return response


def _threshold(response: NDArray[np.float32], sigma: float, noise: float) -> float:
    middle = float(np.median(response))
    deviation = float(np.median(np.abs(response - middle))) * _TO_DEVIATION
    axes = sum(n > 1 for n in response.shape)
    threshold = max(_OVER_NOISE * noise * _gain(sigma, axes), middle + _OVER_TEXTURE * deviation)
    rounding = float(np.abs(response).max()) * 1e-5  # of the sums in float32: flat regions have no blobs
    return max(threshold, rounding, float(np.finfo(np.float32).tiny))


def _gain(sigma: float, axes: int) -> float:
    """Deviation of the response to white noise of deviation 1."""
    fine, coarse = sigma**2, (_RATIO * sigma) ** 2
    powers = [(2 * math.pi * variance) ** (-axes / 2) for variance in (2 * fine, 2 * coarse, fine + coarse)]
    return math.sqrt(powers[0] + powers[1] - 2 * powers[2])


@dataclass(frozen=True)
class Kept:
    """Blobs of an original beside those of what was decoded.

    Parameters
    ----------
    both, lost, added
        Number of those that both have, that only the original has, and that only the decoded volume has.
    """

    both: int
    lost: int
    added: int

    def __add__(self, other: Kept) -> Kept:
        return Kept(self.both + other.both, self.lost + other.lost, self.added + other.added)

    @property
    def recall(self) -> float:
        """Share of the original's blobs that are found again; NaN where it has none."""
        return _share(self.both, self.both + self.lost)

    @property
    def precision(self) -> float:
        """Share of the blobs that are found which the original has; NaN where none are found."""
        return _share(self.both, self.both + self.added)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; NaN where there are no blobs at all."""
        return _share(2 * self.both, 2 * self.both + self.lost + self.added)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def kept_blobs(original: dict[float, NDArray[np.intp]], decoded: dict[float, NDArray[np.intp]]) -> Kept:
    """Pair blobs of a size with those nearby, each with one at most, and as many as can be.

    Parameters
    ----------
    original, decoded
        From `Detector.blobs`. Those of a pair are less than a blob's radius apart, the root of 3 times its size.
    """
    pairs = (_kept(original[sigma], decoded[sigma], math.sqrt(3) * sigma) for sigma in original)
    return sum(pairs, Kept(0, 0, 0))


def _kept(original: NDArray[np.intp], decoded: NDArray[np.intp], radius: float) -> Kept:
    both = 0
    if len(original) and len(decoded):
        near = cKDTree(original).sparse_distance_matrix(cKDTree(decoded), radius, output_type="coo_matrix").tocsr()
        near.data[:] = 1  # two at the same place have distance 0, which would be no entry
        both = int((maximum_bipartite_matching(near, perm_type="column") >= 0).sum())
    return Kept(both, len(original) - both, len(decoded) - both)


@dataclass(frozen=True)
class Overlap:
    """Voxels that are segmented: in both volumes, in the original, and in what was decoded."""

    both: int
    original: int
    decoded: int

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(self.both + other.both, self.original + other.original, self.decoded + other.decoded)

    @property
    def dice(self) -> float:
        """Twice the common volume over both; NaN where nothing is segmented."""
        return _share(2 * self.both, self.original + self.decoded)


def otsu(volume: NDArray[Any]) -> float:
    """Otsu's threshold; of a flat volume its value, above which there is nothing."""
    first = volume.reshape(-1)[0]
    return float(first) if (volume == first).all() else float(threshold_otsu(volume))


def overlap(original: NDArray[Any], decoded: NDArray[Any]) -> Overlap:
    """Both volumes segmented, each at its own threshold of Otsu's, as one would who has only the one."""
    a, b = original > otsu(original), decoded > otsu(decoded)
    return Overlap(int((a & b).sum()), int(a.sum()), int(b.sum()))


@dataclass(frozen=True, eq=False)
class Objects:
    """Connected bright regions of a volume.

    Parameters
    ----------
    labels
        Number of each voxel's object, 0 for the background; shape of the volume.
    sizes
        Voxels of the background and of each object.
    """

    labels: NDArray[np.intp]
    sizes: NDArray[np.intp]

    @classmethod
    def of(cls, original: NDArray[Any]) -> Self:
        """Those of 8 voxels and more above Otsu's threshold, once a Gaussian of one voxel keeps noise from choosing."""
        smooth = ndimage.gaussian_filter(original.astype(np.float32), 1.0)
        labels, _ = ndimage.label(smooth > otsu(smooth))
        sizes = np.bincount(labels.reshape(-1))
        large = sizes >= _SMALLEST
        large[0] = True
        numbers = np.where(large, np.cumsum(large) - 1, 0)
        return cls(numbers[labels], np.bincount(numbers[labels].reshape(-1)))

    def means(self, volume: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of the background, and of each object."""
        means: NDArray[np.float64] = np.bincount(self.labels.reshape(-1), volume.reshape(-1)) / self.sizes
        return means


def brightness_bias(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """How much brighter objects are than they were, on average, in per cent of how far they stood out.

    Parameters
    ----------
    before, after
        Of the original and of what was decoded, from `Objects.means`. NaN where there are no objects.
    """
    stood_out = before[1:] - before[0]
    return float(100 * np.mean((after[1:] - before[1:]) / stood_out)) if stood_out.size else math.nan
