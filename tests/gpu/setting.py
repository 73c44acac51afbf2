"""What a run of the check is about: a GPU at full size, or a CPU at sizes that only show that the script works."""

import math
import statistics
import time
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Setting:
    """Where, and how much.

    Parameters
    ----------
    device
        Name of a torch device.
    volumes
        Edge of chunks, and how many of them.
    efforts
        Of the encoder.
    modes
        Of training: the process's setting of that name.
    encoded_by
        The same, for whole encodings.
    widths, edge, batch
        Of roots whose steps are measured, of the windows, and how many chunks are trained together.
    repeats
        Of each measurement, at most; the median counts.
    peak
        Edge of matrices, and bytes of buffers, that the device's peaks are measured with.
    """

    device: str
    volumes: tuple[tuple[int, int], ...]
    efforts: tuple[int, ...]
    modes: tuple[str, ...]
    encoded_by: tuple[str, ...]
    widths: tuple[int, ...]
    edge: int
    batch: tuple[int, ...]
    repeats: int
    peak: tuple[int, int]

    @property
    def on_gpu(self):
        return self.device.startswith("cuda")

    def wait(self):
        """Until the device has done all that it was given."""
        if self.on_gpu:
            torch.cuda.synchronize()

    def seconds(self, work, warm=1):
        """Median seconds of some work, the first calls left out."""
        taken = []
        for number in range(warm + self.repeats):
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            if number >= warm:
                taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    def seconds_within(self, work, patience):
        """Median seconds of some work, and how often it was run: again while that took less than `patience` in all."""
        taken = []
        while len(taken) < self.repeats and sum(taken) < patience:
            start = time.perf_counter()
            work()
            self.wait()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken), len(taken)


GPU = Setting(
    device="cuda:0",
    volumes=((64, 64), (128, 8), (256, 1)),
    efforts=(1, 3, 5),
    modes=("eager", "graph", "fused"),
    encoded_by=("eager", "graph", "fused"),
    widths=(8, 12, 24),
    edge=32,
    batch=(1, 8, 64),
    repeats=5,
    peak=(4096, 2**28),
)

CPU = Setting(
    device="cpu",
    volumes=((12, 2),),
    efforts=(1, 4),
    modes=("eager", "fused"),
    encoded_by=("eager",),
    widths=(4,),
    edge=2,
    batch=(2,),
    repeats=1,
    peak=(32, 2**16),
)
"""Fused kernels run in Triton's interpreter."""


@dataclass(frozen=True)
class Peaks:
    """What a device was seen to do: bytes and float32 operations a second."""

    bandwidth: float
    arithmetic: float

    @classmethod
    def of(cls, setting):
        """Measure a copy and a product of matrices."""
        edge, size = setting.peak
        source = torch.ones(size // 4, device=setting.device)
        target = torch.empty_like(source)
        matrix = torch.ones(edge, edge, device=setting.device)
        copying = setting.seconds(lambda: target.copy_(source))
        multiplying = setting.seconds(lambda: matrix @ matrix)
        return cls(2 * size / copying, 2 * edge**3 / multiplying)

    def seconds(self, traffic, operations):
        """The least that work takes by its bytes and by its operations."""
        return {
            "bound by memory traffic, s": traffic / self.bandwidth,
            "bound by arithmetic, s": operations / self.arithmetic,
        }


def step_counts(tree, points, voxels, fused):
    """Bytes and float32 operations of one chunk's step of training under coefficients.

    Layer by layer, each activation is written as a sum and as a sine, and read and written about ten times in all;
    fused, only coordinates and outputs are. The transform is a product with a matrix along each axis, there and back;
    what coefficients cost takes about 60 operations and 30 accesses of each.
    """
    products = sum(t.weights for t in tree.tensors) * points
    activations = sum(t.nodes * t.rows for t in tree.tensors) * points
    axes = tree.partition.shape
    transform = sum(round(voxels ** (1 / len(axes))) for _ in axes) * voxels
    traffic = 4 * ((2 * (len(axes) + 2) * points if fused else 10 * activations) + (4 * len(axes) + 30) * voxels)
    operations = 2 * products * (4 if fused else 3) + 20 * activations + 4 * transform + 60 * voxels
    return traffic, operations


def decoding_counts(voxels, itemsize, products):
    """Bytes and operations of decoding a chunk: lifting over int32 along three axes, and the networks' products."""
    lifting = voxels * 4 * 3 * 8 / 7
    return voxels * itemsize + lifting * 3 * 4, 2 * products + lifting * 4


def megabytes(nbytes, seconds):
    """MB/s."""
    return nbytes / seconds / 1e6 if seconds > 0 else math.inf
