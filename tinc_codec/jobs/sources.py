"""Sources behind one protocol: a region in, its samples out, in any process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import zarr
from numpy.typing import NDArray

from tinc_codec.hosts.regions import Region
from tinc_codec.runtime.lazy import lazy

if TYPE_CHECKING:
    import dask.array as da


class SampleSource(Protocol):
    """One array of a source; pickled to the workers."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in voxels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the samples."""

    @property
    def identity(self) -> str:
        """What distinguishes this source from others, the same in every run."""

    def read(self, region: Region) -> NDArray[Any]:
        """Samples of a region."""

    def part(self, region: Region) -> SampleSource | None:
        """What must be sent along to read `region` alone; None where the whole reader is small enough."""


@dataclass(frozen=True, eq=False)
class ZarrSource:
    """A Zarr array."""

    array: zarr.Array[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in voxels."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the samples."""
        return np.dtype(self.array.dtype)

    @property
    def identity(self) -> str:
        """The store's place, and the path in it."""
        return str(self.array.store_path)

    def read(self, region: Region) -> NDArray[Any]:
        """Samples of a region."""
        return np.asarray(self.array[region])

    def part(self, region: Region) -> None:
        """Nothing: the array is a name."""


@dataclass(frozen=True, eq=False)
class DaskSource:
    """A dask array: a worker computes the blocks that its region needs."""

    array: da.Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in voxels."""
        return tuple(map(int, self.array.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the samples."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    @property
    def identity(self) -> str:
        """Dask's own name, which follows from what is computed."""
        return str(self.array.name)

    def read(self, region: Region) -> NDArray[Any]:
        """Samples of a region."""
        return np.asarray(self.array[region].compute(scheduler="synchronous"))

    def part(self, region: Region) -> SampleSource:
        """The region's own part of the graph."""
        from dask.base import optimize

        (block,) = optimize(self.array[region])
        return _Computed(block)


@dataclass(frozen=True, eq=False)
class _Computed(DaskSource):
    """A dask array that is already cut down to a region."""

    def read(self, region: Region) -> NDArray[Any]:
        return np.asarray(self.array.compute(scheduler="synchronous"))


@dataclass(frozen=True, eq=False)
class ArrayReader:
    """A NumPy array in the memory of the job's process: tasks bring their parts along."""

    array: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in voxels."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the samples."""
        return self.array.dtype

    @lazy
    def identity(self) -> str:
        """A digest of the samples: another run goes on only where it is given the same ones."""
        digest = hashlib.sha256()
        for slab in self.array.reshape(1) if not self.array.ndim else self.array:
            digest.update(np.ascontiguousarray(slab).tobytes())
        return f"NumPy array {digest.hexdigest()}"

    def read(self, region: Region) -> NDArray[Any]:
        """Samples of a region."""
        return self.array[region]

    def part(self, region: Region) -> SampleSource:
        """The samples themselves."""
        return _Sent(np.ascontiguousarray(self.array[region]))


@dataclass(frozen=True, eq=False)
class _Sent(ArrayReader):
    """An array that is already cut down to a region."""

    def read(self, region: Region) -> NDArray[Any]:
        return self.array


IN_PARTS = (DaskSource, ArrayReader)
"""Readers of which each task brings a part along."""


@dataclass(frozen=True, eq=False)
class MeanSource:
    """A Zarr array at a coarser resolution: the mean of each block of voxels, as OME-Zarr's writers make it.

    Parameters
    ----------
    array
        The finer array.
    factors
        Voxels of it along each axis that make one.
    shape
        Of the coarser array; blocks at its end may be cut off.
    """

    array: zarr.Array[Any]
    factors: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the samples."""
        return np.dtype(self.array.dtype)

    @property
    def identity(self) -> str:
        """The finer array's place, and the factors."""
        return f"{self.array.store_path} {self.factors}"

    def read(self, region: Region) -> NDArray[Any]:
        """Means of a region, rounded for integers."""
        finer = tuple(
            slice(part.start * f, min(part.stop * f, n))
            for part, f, n in zip(region, self.factors, self.array.shape, strict=True)
        )
        return block_mean(np.asarray(self.array[finer]), self.factors)

    def part(self, region: Region) -> None:
        """Nothing: the array is a name."""


def block_mean(samples: NDArray[Any], factors: tuple[int, ...]) -> NDArray[Any]:
    """Mean of each block of `factors` voxels, over what there is of it; rounded for integers.

    Integers of 64 bits are averaged in float64, and lose what that does not hold.
    """
    total, number = samples.astype(np.float64), np.ones(())
    for axis, factor in enumerate(factors):
        n = samples.shape[axis]
        starts = np.arange(0, n, factor)
        total = np.add.reduceat(total, starts, axis=axis)
        lengths = np.diff(np.append(starts, n)).astype(np.float64)
        number = number * lengths.reshape([-1 if a == axis else 1 for a in range(samples.ndim)])
    mean = total / number
    return np.asarray(np.rint(mean) if samples.dtype.kind in "iu" else mean, samples.dtype)
