"""From the numbers of the detail to samples, written from FORMAT.md alone ("Numbers to samples")."""

import math
import struct
from fractions import Fraction

from tests.reference_codes import cast

P = [round(2 ** (30 + i / 64)) for i in range(64)]
FACTORS = (29066, 57862, -3472, -103949)


def int32(x):
    return (x + 2**31) % 2**32 - 2**31


def int64(x):
    return (x + 2**63) % 2**64 - 2**63


def half_lengths(n, depth):
    """Lengths of the low halves after 0, 1, .. splits."""
    lengths = [n]
    while len(lengths) <= depth:
        lengths.append(-(-lengths[-1] // 2))
    return lengths


def counted_low(n, splits):
    """Low halves of what was longer than 1."""
    return sum(length > 1 for length in half_lengths(n, splits)[:splits])


def step_of(step, slope, shape, splits, high):
    d = 0
    for n, k, h in zip(shape, splits, high, strict=True):
        d += counted_low(n, k - h) - h
    q, i = divmod(-d * slope, 64)
    product = step * P[i]
    return max(1, (product << q if q >= 0 else product >> -q) >> 30)


def coefficient(number, step, centres):
    if number == 0:
        return 0
    c = centres[abs(number) > 1]
    value = int64((256 * abs(number) + c) * step + 2**15) >> 16
    return int32(value if number > 0 else -value)


def join_line(s, d):
    """One axis of its low and high half."""
    s, d = list(s), list(d)
    if not d:
        return s
    for k, factor in enumerate(FACTORS):
        if k % 2 == 0:
            around = [d[max(i - 1, 0)] + d[min(i, len(d) - 1)] for i in range(len(s))]
            s = [int32(x - ((factor * int32(a) + 2**15) >> 16)) for x, a in zip(s, around, strict=True)]
        else:
            around = [s[i] + s[min(i + 1, len(s) - 1)] for i in range(len(d))]
            d = [int32(x - ((factor * int32(a) + 2**15) >> 16)) for x, a in zip(d, around, strict=True)]
    line = s + d
    line[::2], line[1::2] = s, d
    return line


def lines_of(grid, axis):
    lines = {}
    for at, value in sorted(grid.items()):
        lines.setdefault(at[:axis] + at[axis + 1 :], []).append(value)
    return lines


def grid_of(lines, axis):
    return {(*rest[:axis], i, *rest[axis:]): v for rest, line in lines.items() for i, v in enumerate(line)}


def join(low, high, axis):
    high_lines = lines_of(high, axis)
    return grid_of({at: join_line(s, high_lines.get(at, ())) for at, s in lines_of(low, axis).items()}, axis)


def join_group(bands, number, axes, depth, down):
    """Bands ``{(levels, high): grid}`` with one group joined down to level `down`, where it counts as level 0."""
    joined = {}
    others = {(at(levels, number, 0), at_all(high, axes, (0,) * len(axes))) for levels, high in bands}
    for levels, high in others:

        def band(level, bits, levels=levels, high=high):
            return bands[at(levels, number, level), at_all(high, axes, bits)]

        low = band(depth, (0,) * len(axes))
        for level in range(depth, down, -1):
            low = join_level(low, level, band, axes)
        joined[levels, high] = low
    return joined


def join_level(low, level, band, axes):
    """The axes of a group, last to first, at one level."""

    def part(bits):
        if len(bits) < len(axes):
            return join(part((*bits, 0)), part((*bits, 1)), axes[len(bits)])
        return band(level, bits) if any(bits) else low

    return part(())


def at(levels, number, level):
    return (*levels[:number], level, *levels[number + 1 :])


def at_all(high, axes, bits):
    high = list(high)
    for axis, bit in zip(axes, bits, strict=True):
        high[axis] = bit
    return tuple(high)


def gain(m):
    """G(m): a constant is divided by its gain over m low halves."""
    delta, gamma, beta, alpha = (Fraction(factor, 2**16) for factor in FACTORS)
    high = 1 + 2 * alpha
    low = 1 + 2 * beta * high
    high += 2 * gamma * low
    low += 2 * delta * high
    return round(2**30 / low**m)


def to_centres(line, s, n):
    a = 2**s - 1
    after = 2 * line[-1] - line[-2] if len(line) > 1 else line[-1]
    moved = []
    for i, x in enumerate(line):
        last = i == len(line) - 1
        following = after if last else line[i + 1]
        factor = min(a, 2 * (n - 1 - 2**s * i)) if last else a
        moved.append(int32(x + ((factor * (following - x) + 2**s) >> (s + 1))))
    return moved


def averaged(line):
    pairs = [(a + b + 1) >> 1 for a, b in zip(line[::2], line[1::2], strict=False)]
    return pairs + line[len(pairs) * 2 :]


def joined(bands, shape, groups, levels):
    """The integers of ``{(levels, high): grid}``, at a level of each axis."""
    down = []
    for axes, depth in groups:
        down.append(min([depth, *(levels[a] for a in axes if shape[a] > 1)]))
    for number in range(len(groups) - 1, -1, -1):
        bands = join_group(bands, number, *groups[number], down[number])
    (grid,) = bands.values()
    left = {a: s for (axes, _), s in zip(groups, down, strict=True) for a in axes}
    for axis, n in enumerate(shape):
        if n > 1:
            lines = {rest: to_centres(line, left[axis], n) for rest, line in lines_of(grid, axis).items()}
            for _ in range(levels[axis] - left[axis]):
                lines = {rest: averaged(line) for rest, line in lines.items()}
            grid = grid_of(lines, axis)
    g = gain(sum(counted_low(n, left[axis]) for axis, n in enumerate(shape)))
    return [(grid[place] * g + 2**29) >> 30 for place in sorted(grid)]


def scaled(integer, exponent):
    try:
        return math.ldexp(integer, exponent)
    except OverflowError:
        return math.copysign(math.inf, integer)


def sample(x, code, low, high):
    if code in "efd":
        try:
            value = cast(x, code)
        except OverflowError:
            value = math.copysign(math.inf, x)
    else:
        bits = 8 * struct.calcsize("<" + code)
        least, largest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if code.islower() else (0, 2**bits - 1)
        if bits == 64:
            largest += 1 - (1024 if code.islower() else 2048)
        value = round(min(max(x, least), largest))
    return min(max(value, low), high)
