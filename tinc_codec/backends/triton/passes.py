"""Kernels that quantise a pass over tiles of coefficients: the integers of `tinc_codec.backends.torch.detail`.

A kernel does what takes a hundred launches of tensor operations, which is what small chunks wait for. Arrays over
coefficients are ``(frames, z, y, x)`` of a band's tiles; cells are blocks of 2 x 2 x 2 of them.
"""

from __future__ import annotations

import triton
import triton.language as tl

from tinc_codec.detail import contexts, tables

BLOCK = 256
"""Coefficients or cells of a program."""

_CLASSES, _FIRST = tl.constexpr(contexts.CLASSES), tl.constexpr(contexts.FIRST_CLASS)
_WIDE, _HALF = tl.constexpr(contexts.WIDE_SHIFT), tl.constexpr(1 << contexts.WIDE_SHIFT - 1)
_TOKENS, _ESCAPE = tl.constexpr(tables.TOKENS), tl.constexpr(tables.ESCAPE)
_CONSTANT = tl.constexpr(19)

OWN_PLACE, MAP_PLACE, CONSTANT_PLACE = 8, 10, 19
"""Places of factors: neighbours by the bits of their kind, wide sums of the tile, sums of three maps, a constant."""

_INTEGERS = ("count", "frames", "n0", "n1", "n2", "parity", "known", "mapped", "shift")
"""Arguments that the kernel is not compiled anew for."""


@triton.jit
def _four(place, n0, n1, n2):
    """Frame and coordinates of places in order."""
    return place // (n2 * n1 * n0), place // (n2 * n1) % n0, place // n2 % n1, place % n2


@triton.jit
def _flat(frame, z, y, x, n0, n1, n2):
    return ((frame.to(tl.int64) * n0 + z) * n1 + y) * n2 + x


@triton.jit
def _reflected(x, n, by):
    """The coordinate of a neighbour; at an end the one of the other side."""
    there = x + by
    return tl.where(there < 0, 1, tl.where(there >= n, n - 2, there))


@triton.jit
def _around(magnitudes, frame, z, y, x, n0, n1, n2, inside, KIND: tl.constexpr):
    """Sums of the neighbours of a kind."""
    total = tl.zeros_like(z)
    for i in tl.static_range((KIND >> 2 & 1) + 1):
        a = _reflected(z, n0, (2 * i - 1) * (KIND >> 2 & 1))
        for j in tl.static_range((KIND >> 1 & 1) + 1):
            b = _reflected(y, n1, (2 * j - 1) * (KIND >> 1 & 1))
            for k in tl.static_range((KIND & 1) + 1):
                c = _reflected(x, n2, (2 * k - 1) * (KIND & 1))
                total += tl.load(magnitudes + _flat(frame, a, b, c, n0, n1, n2), mask=inside, other=0).to(tl.int32)
    return total


@triton.jit
def _of_map(lattices, near, far, factors, padded, cell, inside, PLACE: tl.constexpr):
    """What one map adds to expected magnitudes."""
    total = tl.load(factors + PLACE) * tl.load(lattices + padded, mask=inside, other=0)
    total += tl.load(factors + PLACE + 1) * tl.load(near + cell, mask=inside, other=0)
    return total + tl.load(factors + PLACE + 2) * tl.load(far + cell, mask=inside, other=0)


@triton.jit
def _cost(costs, row, token, inside):
    """Bits of tokens."""
    beyond = tl.maximum(token - _ESCAPE + 1, 1)
    table = tl.load(costs + row + tl.minimum(token, _ESCAPE), mask=inside, other=0.0)
    return table + 2 * tl.log2(beyond.to(tl.float64))


@triton.jit
def _cheaper(value, candidate, top, price, off, costs, row, inside, least, best, bits):
    """The better of what was best so far, and a candidate."""
    wrong = value - candidate.to(tl.float64) + tl.where(candidate == 1, tl.load(off), tl.load(off + 1))
    cost = _cost(costs, row, candidate, inside)
    loss = wrong * wrong + price * cost
    better = (loss < least) & (candidate <= top)
    return tl.where(better, loss, least), tl.where(better, candidate, best), tl.where(better, cost, bits)


@triton.jit(do_not_specialize=_INTEGERS)
def quantise(
    magnitudes, values, numbers, bits, symbols, near, far, lattices0, near0, far0, lattices1, near1, far1,
    lattices2, near2, far2, factors, costs, settings, counts, count, frames, n0, n1, n2, parity, known, mapped, shift,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Quantise the coefficients of one parity, and enter what they count as.

    Parameters are pointers to: what is known, uint8; coefficients over the step, without signs, float64; magnitudes of
    numbers, int64, their bits, float64, and symbols (classes and tokens), int64, which are written; wide sums of the
    tile; three maps; factors, see `OWN_PLACE`; costs; price, and what is added to errors of 1 and above; what tokens
    count as. `known` and `mapped` say by bits which parities and which maps there are.
    """
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    p0, p1, p2 = parity >> 2 & 1, parity >> 1 & 1, parity & 1
    frame, i, j, k = _four(place, (n0 + 1 - p0) // 2, (n1 + 1 - p1) // 2, (n2 + 1 - p2) // 2)
    z, y, x = 2 * i + p0, 2 * j + p1, 2 * k + p2
    c0, c1, c2 = (n0 + 1) // 2, (n1 + 1) // 2, (n2 + 1) // 2
    cell = _flat(frame, i, j, k, c0, c1, c2)
    padded = _flat(parity * frames + frame, i + 1, j + 1, k + 1, c0 + 2, c1 + 2, c2 + 2)
    total = tl.zeros_like(z) + tl.load(factors + _CONSTANT)
    for kind in tl.static_range(1, 8):
        if (known >> (parity ^ kind)) & 1:
            around = _around(magnitudes, frame, z, y, x, n0, n1, n2, inside, kind)
            total += tl.load(factors + kind) * around
    total += tl.load(factors + 8) * tl.load(near + cell, mask=inside, other=0)
    total += tl.load(factors + 9) * tl.load(far + cell, mask=inside, other=0)
    if mapped & 1:
        total += _of_map(lattices0, near0, far0, factors, padded, cell, inside, 10)
    if mapped & 2:
        total += _of_map(lattices1, near1, far1, factors, padded, cell, inside, 13)
    if mapped & 4:
        total += _of_map(lattices2, near2, far2, factors, padded, cell, inside, 16)
    octaves = (tl.maximum(total, 1).to(tl.float64).to(tl.int64, bitcast=True) >> 50) - 4092
    row = tl.minimum(tl.maximum(octaves - _FIRST, 0), _CLASSES - 1) * _TOKENS
    own = _flat(frame, z, y, x, n0, n1, n2)
    value = tl.load(values + own, mask=inside, other=0.0)
    top = tl.floor(value + 0.5).to(tl.int64)
    if shift > 0:
        best = top
        spent = _cost(costs, row, top >> shift, inside) + shift
    else:
        price = tl.load(settings)
        best = tl.zeros_like(top)
        spent = tl.load(costs + row, mask=inside, other=0.0)
        least = value * value + price * spent
        below = tl.maximum(top - 1, 1)
        least, best, spent = _cheaper(
            value, below, top, price, settings + 1, costs, row, inside, least, best, spent
        )  # fmt: skip
        least, best, spent = _cheaper(value, top, top, price, settings + 1, costs, row, inside, least, best, spent)
    token = tl.minimum(best >> shift, _ESCAPE)
    tl.store(numbers + own, best, mask=inside)
    tl.store(bits + own, spent, mask=inside)
    tl.store(symbols + own, row + token, mask=inside)
    tl.store(magnitudes + own, tl.load(counts + token, mask=inside, other=0), mask=inside)


@triton.jit(do_not_specialize=_INTEGERS)
def enter(magnitudes, sums, count, n0, n1, n2, parity, BLOCK: tl.constexpr):
    """Add the magnitudes of a parity to the sums of every cell, with a border: the nearest one that is there."""
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    frame, i, j, k = _four(place, (n0 + 1) // 2 + 2, (n1 + 1) // 2 + 2, (n2 + 1) // 2 + 2)
    p0, p1, p2 = parity >> 2 & 1, parity >> 1 & 1, parity & 1
    z = 2 * tl.minimum(tl.maximum(i - 1, 0), (n0 + 1 - p0) // 2 - 1) + p0
    y = 2 * tl.minimum(tl.maximum(j - 1, 0), (n1 + 1 - p1) // 2 - 1) + p1
    x = 2 * tl.minimum(tl.maximum(k - 1, 0), (n2 + 1 - p2) // 2 - 1) + p2
    there = tl.load(magnitudes + _flat(frame, z, y, x, n0, n1, n2), mask=inside, other=0).to(tl.int32)
    tl.store(sums + place, tl.load(sums + place, mask=inside, other=0) + there, mask=inside)


@triton.jit(do_not_specialize=_INTEGERS)
def wide(given, out, count, n0, n1, n2, BORDERED: tl.constexpr, BLOCK: tl.constexpr):
    """Sums over 3 x 3 x 3 cells of ``(frames, n0, n1, n2)``; of what has no border shifted right, its ends repeated."""
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    frame, i, j, k = _four(place, n0, n1, n2)
    total = tl.zeros_like(i)
    for a in tl.static_range(3):
        for b in tl.static_range(3):
            for c in tl.static_range(3):
                if BORDERED:
                    there = _flat(frame, i + a, j + b, k + c, n0 + 2, n1 + 2, n2 + 2)
                else:
                    z, y = (tl.minimum(tl.maximum(i + a - 1, 0), n0 - 1), tl.minimum(tl.maximum(j + b - 1, 0), n1 - 1))
                    there = _flat(frame, z, y, tl.minimum(tl.maximum(k + c - 1, 0), n2 - 1), n0, n1, n2)
                total += tl.load(given + there, mask=inside, other=0)
    if not BORDERED:
        total = (total + _HALF) >> _WIDE
    tl.store(out + place, total, mask=inside)


@triton.jit
def _row(rows, target, place, inside, count, sums, scale):
    there = rows + tl.load(target).to(tl.int64) * count + place
    tl.store(there, sums.to(tl.float64) * tl.load(scale), mask=inside)


@triton.jit
def _rows_of_map(lattices, near, far, rows, targets, scales, padded, cell, place, inside, count, PLACE: tl.constexpr):
    own = tl.load(lattices + padded, mask=inside, other=0)
    _row(rows, targets + PLACE, place, inside, count, own, scales + PLACE)
    sums = tl.load(near + cell, mask=inside, other=0)
    _row(rows, targets + PLACE + 1, place, inside, count, sums, scales + PLACE + 1)
    sums = tl.load(far + cell, mask=inside, other=0)
    _row(rows, targets + PLACE + 2, place, inside, count, sums, scales + PLACE + 2)


@triton.jit(do_not_specialize=_INTEGERS)
def means(
    magnitudes, near, far, lattices0, near0, far0, lattices1, near1, far1, lattices2, near2, far2, scales, targets,
    rows, count, frames, n0, n1, n2, parity, known, mapped,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Write what weights stand before at the coefficients of one parity; rows of what is not known stay.

    As `quantise`, with pointers to: by what sums are multiplied, float64, and which row each belongs to, int32, both in
    the order of factors; and the rows, float64 ``(WEIGHTS, count)``.
    """
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    p0, p1, p2 = parity >> 2 & 1, parity >> 1 & 1, parity & 1
    frame, i, j, k = _four(place, (n0 + 1 - p0) // 2, (n1 + 1 - p1) // 2, (n2 + 1 - p2) // 2)
    z, y, x = 2 * i + p0, 2 * j + p1, 2 * k + p2
    c0, c1, c2 = (n0 + 1) // 2, (n1 + 1) // 2, (n2 + 1) // 2
    cell = _flat(frame, i, j, k, c0, c1, c2)
    padded = _flat(parity * frames + frame, i + 1, j + 1, k + 1, c0 + 2, c1 + 2, c2 + 2)
    for kind in tl.static_range(1, 8):
        if (known >> (parity ^ kind)) & 1:
            around = _around(magnitudes, frame, z, y, x, n0, n1, n2, inside, kind)
            _row(rows, targets + kind, place, inside, count, around, scales + kind)
    if known:
        _row(rows, targets + 8, place, inside, count, tl.load(near + cell, mask=inside, other=0), scales + 8)
        _row(rows, targets + 9, place, inside, count, tl.load(far + cell, mask=inside, other=0), scales + 9)
    if mapped & 1:
        _rows_of_map(lattices0, near0, far0, rows, targets, scales, padded, cell, place, inside, count, 10)
    if mapped & 2:
        _rows_of_map(lattices1, near1, far1, rows, targets, scales, padded, cell, place, inside, count, 13)
    if mapped & 4:
        _rows_of_map(lattices2, near2, far2, rows, targets, scales, padded, cell, place, inside, count, 16)
