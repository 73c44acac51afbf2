"""How the passes of a band's tiles are done: by tensor operations, or by kernels that do the same in few launches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor as Array

from tinc_codec.backends.torch.detail import contexts
from tinc_codec.backends.torch.detail.contexts import Frame, Tiles
from tinc_codec.backends.torch.detail.quantising import Band
from tinc_codec.detail.contexts import PASSES


class Way(Protocol):
    """What a band is quantised, and weights are fitted, with."""

    def wide(self, frame: Frame, sums: Array) -> tuple[Array, Array]:
        """See `contexts.wide`."""

    def quantise(self, tiles: Tiles, band: Band, counts: Array) -> Array:
        """Quantise a band; return what its numbers count as, of what tokens do."""

    def means(self, tiles: Tiles, magnitudes: Array) -> Iterator[tuple[int, int, Array]]:
        """Of each pass number and parity, and what weights stand before; see `Tiles.means`."""


class Operations:
    """Tensor operations, on any device."""

    def wide(self, frame: Frame, sums: Array) -> tuple[Array, Array]:
        """See `Way`."""
        return contexts.wide(frame, sums)

    def quantise(self, tiles: Tiles, band: Band, counts: Array) -> Array:
        """See `Way`."""
        magnitudes = torch.zeros_like(band.values, dtype=torch.uint8)
        for number, parity, where in tiles.passes():
            tokens = band.quantise(where, tiles.classes(number))
            magnitudes[where] = counts[tokens]
            tiles.enter(parity, magnitudes[where])
        return magnitudes

    def means(self, tiles: Tiles, magnitudes: Array) -> Iterator[tuple[int, int, Array]]:
        """See `Way`."""
        for number, parity, where in tiles.passes():
            yield number, parity, tiles.means(number)
            tiles.enter(parity, magnitudes[where])


class Kernels:
    """Kernels of `tinc_codec.backends.triton`, on a GPU."""

    def wide(self, frame: Frame, sums: Array) -> tuple[Array, Array]:
        """See `Way`."""
        from tinc_codec.backends.triton import quantising

        return quantising.wide(sums)

    def quantise(self, tiles: Tiles, band: Band, counts: Array) -> Array:
        """See `Way`."""
        from tinc_codec.backends.triton.quantising import Tables, quantise

        tables = Tables(band.costs, band.settings, counts)
        out = quantise(band.values, tiles.factors, tiles.frame.parities, tiles.known, tables, band.shift)
        band.accept(out.numbers, out.bits, out.symbols)
        return out.magnitudes

    def means(self, tiles: Tiles, magnitudes: Array) -> Iterator[tuple[int, int, Array]]:
        """See `Way`."""
        from tinc_codec.backends.triton.quantising import means

        for parity, rows in means(magnitudes, tiles.divisors, tiles.mean, tiles.frame.parities, tiles.known):
            yield PASSES.index(parity), parity, rows
