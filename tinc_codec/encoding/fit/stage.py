"""Windows of several chunks on the device that trains, drawn at once, and what their coefficients cost."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.detail.plan import AXES, Plan, Shape
from tinc_codec.detail.scale import Scale
from tinc_codec.encoding.fit.execution import pricing
from tinc_codec.encoding.fit.pricing import Pricing
from tinc_codec.encoding.fit.windows import Windows, four


@dataclass(frozen=True, eq=False)
class Stage:
    """Windows of chunks that are alike in all but their samples.

    Parameters
    ----------
    coordinates
        ``(axes, cells)`` of a leaf.
    leaves
        ``(chunks, leaves, cells)``.
    window
        Shape of a window, of four axes.
    cells
        Of a window at the first place: their numbers in the leaf, ``(points,)``.
    places, strides
        Along each axis how many places a window may have, and how many cells apart they are.
    share
        For how many windows each one stands.
    bits
        Says what coefficients of each chunk's windows cost.
    """

    coordinates: Array
    leaves: Array
    window: Shape
    cells: Array
    places: tuple[int, ...]
    strides: tuple[int, ...]
    share: float
    bits: Pricing

    @classmethod
    def of(cls, windows: Sequence[Windows], plan: Plan, scales: Sequence[Scale], device: torch.device) -> Stage:
        """Bring windows of one shape to a device.

        Parameters
        ----------
        plan, scales
            Of all chunks' coefficients, and of each one's.
        """
        first = windows[0]
        lengths = tuple(first.leaves.shape[1:])
        numbers = np.arange(math.prod(lengths)).reshape(lengths)
        packets = [each.packet(plan, scale) for each, scale in zip(windows, scales, strict=True)]
        inverses = np.array([packet.inverses for packet in packets], np.float32)
        return cls(
            first.coordinates.flatten(1).to(device),
            torch.stack([each.leaves.flatten(1) for each in windows]).to(device),
            four(first.shape, 1),
            torch.as_tensor(numbers[tuple(map(slice, first.shape))].ravel(), device=device),
            tuple(length - window + 1 for length, window in zip(lengths, first.shape, strict=True)),
            tuple(math.prod(lengths[axis + 1 :]) for axis in range(len(lengths))),
            first.share,
            pricing(packets[0], inverses, device),
        )

    def place(self, generator: torch.Generator) -> int:
        """A random place for a window: the number of its first cell.

        Windows may begin half of their length before the leaf, and are moved into it then, and the same at its end:
        otherwise hardly any would hold a corner, and nearly all the centre.
        """
        draws = [
            min(max(int(torch.randint(count + 2 * beyond, (1,), generator=generator)) - beyond, 0), count - 1)
            for count, beyond in zip(self.places, self._beyond, strict=True)
        ]
        return sum(draw * stride for draw, stride in zip(draws, self.strides, strict=True))

    def tiles(self, generator: torch.Generator, most: int) -> list[int]:
        """Places of windows that together hold the whole leaf, or so many of them, drawn without repetition."""
        axes = [
            [begin * stride for begin in _begins(count, length)]
            for count, length, stride in zip(self.places, self._lengths, self.strides, strict=True)
        ]
        tiles = [sum(each) for each in itertools.product(*axes)]
        if len(tiles) <= most:
            return tiles
        return [tiles[number] for number in torch.randperm(len(tiles), generator=generator)[:most].tolist()]

    @property
    def _lengths(self) -> tuple[int, ...]:
        """Of a window along each axis of a leaf."""
        return self.window[AXES - len(self.places) :]

    @property
    def _beyond(self) -> list[int]:
        """How far before a leaf a window may begin along each axis, before it is moved into it."""
        return [length // 2 if count > 1 else 0 for length, count in zip(self._lengths, self.places, strict=True)]

    def cut(self, places: Array) -> tuple[Array, Array]:
        """Cut a window of each chunk.

        Parameters
        ----------
        places
            Number of each chunk's first cell, ``(chunks,)``, int64.

        Returns
        -------
        coordinates
            ``(chunks, axes, points)``.
        samples
            ``(chunks, leaves, *window)``, of four axes.
        """
        chunks, leaves, _ = self.leaves.shape
        samples = self.leaves
        if max(self.places) == 1:  # the whole leaf is the window
            coordinates = self.coordinates.expand(chunks, -1, -1)
        else:
            cells = places[:, None] + self.cells
            coordinates = self.coordinates.index_select(1, cells.flatten()).view(-1, *cells.shape).transpose(0, 1)
            samples = samples.gather(2, cells[:, None].expand(-1, leaves, -1))
        return coordinates, samples.view(chunks, leaves, *self.window)


def _begins(places: int, length: int) -> list[int]:
    """Where windows begin, evenly, that together hold an axis on which they have so many places."""
    gaps = -(-(places - 1) // length)
    return [number * (places - 1) // max(gaps, 1) for number in range(gaps + 1)]
