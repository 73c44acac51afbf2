"""Tiles of a band quantised by kernels, pass by pass: what tensor operations do in a hundred launches each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import triton
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.backends.triton import passes
from tinc_codec.backends.triton.passes import BLOCK
from tinc_codec.detail.contexts import MAPS, MEAN, OWN, PASSES, SIDES


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
    values: Array,
    factors: NDArray[np.int64],
    parities: Sequence[int],
    maps: Sequence[tuple[Array, Array, Array] | None],
    tables: Tables,
    shift: int,
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
    maps
        Lattices ``(2, 2, 2, frames, cells + 2, ...)``, near and far sums ``(frames, cells, ...)``, int32; None: nothing
        is known.
    shift
        Low bits that are stored as they are.
    """
    frames, *shape = values.shape
    cells = [(n + 1) // 2 for n in shape]
    values = values.contiguous()
    out = Quantised(
        torch.zeros_like(values, dtype=torch.uint8),
        torch.zeros_like(values, dtype=torch.int64),
        torch.zeros_like(values),
        torch.zeros_like(values, dtype=torch.int64),
    )
    sums = torch.zeros((frames, *(n + 2 for n in cells)), dtype=torch.int32, device=values.device)
    near, far = (torch.zeros((frames, *cells), dtype=torch.int32, device=values.device) for _ in range(2))
    others = [part.contiguous() for each in maps for part in (each or (near, near, near))]
    mapped, rows = sum((each is not None) << place for place, each in enumerate(maps)), _ordered(factors, values.device)
    known = 0
    with torch.cuda.device_of(values):  # type: ignore[no-untyped-call]  # kernels are the current device's
        for parity in parities:
            if known:
                _launch(passes.wide, near.numel(), sums, near, sizes=cells, BORDERED=True)
                _launch(passes.wide, near.numel(), near, far, sizes=cells, BORDERED=False)
            count = frames * math.prod(
                (n + 1 - (parity >> bit & 1)) // 2 for n, bit in zip(shape, (2, 1, 0), strict=True)
            )
            given = (out.magnitudes, values, out.numbers, out.bits, out.symbols, near, far, *others)
            tail = (rows[PASSES.index(parity)], tables.costs, tables.settings, tables.counts)
            grid = (triton.cdiv(count, BLOCK),)
            passes.quantise[grid](
                *given, *tail, count, frames, *shape, parity, known, mapped, shift, BLOCK=BLOCK, enable_fp_fusion=False
            )
            _launch(passes.enter, sums.numel(), out.magnitudes, sums, sizes=[*shape, parity])
            known |= 1 << parity
    return out


def _launch(kernel: triton.JITFunction, count: int, *given: Array, sizes: Sequence[int], **constants: bool) -> None:
    kernel[(triton.cdiv(count, BLOCK),)](*given, count, *sizes, **constants, BLOCK=BLOCK)


def _ordered(factors: NDArray[np.int64], device: torch.device) -> Array:
    """Factors as the kernel wants them, int32 ``(8, 20)``."""
    rows = np.zeros((8, passes.CONSTANT_PLACE + 1), np.int32)
    for place, kind in enumerate(SIDES):
        rows[:, kind] = factors[:, place]
    rows[:, passes.OWN_PLACE : passes.MAP_PLACE] = factors[:, OWN:MAPS]
    rows[:, passes.MAP_PLACE :] = factors[:, MAPS : MEAN + 1]
    return torch.from_numpy(rows).to(device)
