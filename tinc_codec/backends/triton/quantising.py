"""Tiles of a band by kernels, pass by pass: what tensor operations do in a hundred launches each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import triton
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.backends.triton import passes
from tinc_codec.backends.triton.passes import BLOCK
from tinc_codec.detail.contexts import MAPS, MEAN, OWN, PASSES, SIDES

Maps = Sequence[tuple[Array, Array, Array] | None]
"""Lattices ``(2, 2, 2, frames, cells + 2, ...)``, near and far sums ``(frames, cells, ...)``, int32; None: nothing is
known."""


@dataclass(frozen=True, eq=False)
class Tables:
    """What is common to all passes, on the device.

    Parameters
    ----------
    costs
        Bits of each token in each class, flat, float64.
    settings
        The price of a bit, and what is added to the errors of 1, and of what is above.
    counts
        What tokens count as, uint8.
    """

    costs: Array
    settings: Array
    counts: Array


@dataclass(frozen=True, eq=False)
class Quantised:
    """A band's tiles, ``(frames, ...)``: what numbers count as (uint8), their magnitudes, bits, and symbols (int64)."""

    magnitudes: Array
    numbers: Array
    bits: Array
    symbols: Array


def quantise(
    values: Array, factors: NDArray[np.int64], parities: Sequence[int], maps: Maps, tables: Tables, shift: int
) -> Quantised:
    """Quantise tiles.

    Parameters
    ----------
    values
        Coefficients over their step, without signs, float64 ``(frames, ...)``.
    factors
        Of each pass, see `tinc_codec.detail.contexts.factors`.
    parities
        Those that have coefficients, in the order of coding.
    shift
        Low bits that are stored as they are.
    """
    values = values.contiguous()
    out = Quantised(
        torch.zeros_like(values, dtype=torch.uint8),
        torch.zeros_like(values, dtype=torch.int64),
        torch.zeros_like(values),
        torch.zeros_like(values, dtype=torch.int64),
    )
    walk = _Walk(out.magnitudes, parities, maps)
    rows = torch.from_numpy(_ordered(factors).astype(np.int32)).to(values.device)
    for parity, sizes in walk.passes():
        written = (values, out.numbers, out.bits, out.symbols, *walk.known)
        tables_of_pass = (rows[PASSES.index(parity)], tables.costs, tables.settings, tables.counts)
        _launch(passes.quantise, sizes[0], out.magnitudes, *written, *tables_of_pass, sizes=[*sizes[1:], shift])
    return out


def means(
    magnitudes: Array, divisors: NDArray[np.int64], mean: float, parities: Sequence[int], maps: Maps
) -> Iterator[tuple[int, Array]]:
    """What weights stand before in each pass, float64 ``(WEIGHTS, coefficients)``, with its parity.

    Parameters
    ----------
    magnitudes
        Of tiles that are quantised, uint8 ``(frames, ...)``.
    divisors
        See `tinc_codec.detail.contexts.divisors`.
    mean
        What counts where nothing is known.
    """
    device, walk = magnitudes.device, _Walk(magnitudes.contiguous(), parities, maps)
    scales = np.divide(4.0, divisors, out=np.zeros(divisors.shape), where=divisors > 0)
    starts = np.pad(np.where(divisors > 0, 0.0, mean), ((0, 0), (0, 1)), constant_values=mean)
    scale, start = (torch.from_numpy(each).to(device) for each in (_ordered(np.pad(scales, ((0, 0), (0, 1)))), starts))
    targets = torch.from_numpy(_ordered(np.tile(np.arange(MEAN + 1), (8, 1)))[0].astype(np.int32)).to(device)
    for parity, sizes in walk.passes():
        number = PASSES.index(parity)
        rows = start[number][:, None].repeat(1, sizes[0])
        given = (*walk.known, scale[number], targets, rows)
        _launch(passes.means, sizes[0], walk.magnitudes, *given, sizes=sizes[1:])
        yield parity, rows


def wide(sums: Array) -> tuple[Array, Array]:
    """Sums over 3 x 3 x 3 of ``(frames, cells + 2, ...)``: once, and twice, the latter shifted right."""
    frames, *padded = sums.shape
    cells = [n - 2 for n in padded]
    near, far = (sums.new_empty((frames, *cells)) for _ in range(2))
    _launch(passes.wide, near.numel(), sums.contiguous(), near, sizes=cells, BORDERED=True)
    _launch(passes.wide, near.numel(), near, far, sizes=cells, BORDERED=False)
    return near, far


class _Walk:
    """What is known of a band's tiles while its passes are gone through."""

    def __init__(self, magnitudes: Array, parities: Sequence[int], maps: Maps) -> None:
        self.magnitudes, self._parities = magnitudes, parities
        frames, *self._shape = magnitudes.shape
        cells = [(n + 1) // 2 for n in self._shape]
        device = magnitudes.device
        self._sums = torch.zeros((frames, *(n + 2 for n in cells)), dtype=torch.int32, device=device)
        self._near = self._far = torch.zeros((frames, *cells), dtype=torch.int32, device=device)
        self._others = [part.contiguous() for each in maps for part in (each or (self._near,) * 3)]
        self._mapped = sum((each is not None) << place for place, each in enumerate(maps))

    @property
    def known(self) -> tuple[Array, ...]:
        """Wide sums of the tile, and the maps."""
        return self._near, self._far, *self._others

    def passes(self) -> Iterator[tuple[int, list[int]]]:
        """Parity of each pass, and numbers for its kernel; when the next one is asked for, its magnitudes are known."""
        frames, known = len(self.magnitudes), 0
        for parity in self._parities:
            if known:
                self._near, self._far = wide(self._sums)
            odd = (parity >> 2 & 1, parity >> 1 & 1, parity & 1)
            count = frames * math.prod((n + 1 - p) // 2 for n, p in zip(self._shape, odd, strict=True))
            yield parity, [count, frames, *self._shape, parity, known, self._mapped]
            sizes = [*self._shape, parity]
            _launch(passes.enter, self._sums.numel(), self.magnitudes, self._sums, sizes=sizes)
            known |= 1 << parity


def _launch(kernel: triton.JITFunction, count: int, *given: Array, sizes: Sequence[int], **constants: bool) -> None:
    with torch.cuda.device_of(given[0]):  # type: ignore[no-untyped-call]  # kernels are the current device's
        grid = (triton.cdiv(count, BLOCK),)
        kernel[grid](*given, count, *sizes, **constants, BLOCK=BLOCK, enable_fp_fusion=False)


def _ordered(rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Numbers of each weight in the order of factors, see `passes.OWN_PLACE`: ``(8, 20)``."""
    out = np.zeros((8, passes.CONSTANT_PLACE + 1), rows.dtype)
    for place, kind in enumerate(SIDES):
        out[:, kind] = rows[:, place]
    out[:, passes.OWN_PLACE : passes.MAP_PLACE] = rows[:, OWN:MAPS]
    out[:, passes.MAP_PLACE :] = rows[:, MAPS : MEAN + 1]
    return out
