"""The detail, written from FORMAT.md alone (section 12). The default logits and weights are read from its tables."""

import itertools
import math
import re
from pathlib import Path
from typing import NamedTuple

from tests.reference_codes import Bytes, Range, laplace
from tests.reference_contexts import MAGNITUDES, run_of_frames
from tests.reference_tokens import Bits, Piece
from tests.reference_wavelet import coefficient, half_lengths, joined, sample, scaled, step_of

FORMAT = (Path(__file__).parents[1] / "tinc_codec/stream/FORMAT.md").read_text(encoding="utf-8")


def numbers_after(title):
    """The numbers of the table that follows a line of FORMAT.md."""
    table = re.search(rf"^{re.escape(title)}:\n\n((?: {{4}}[-0-9 ]+\n)+)", FORMAT, re.MULTILINE)
    return [int(n) for n in table.group(1).split()]


LOGITS = [numbers_after(f"Default z{i} of classes 0 to 59") for i in range(3)]
PRESETS = [numbers_after(f"Preset {i}, a row for each pass") for i in range(4)]


class Band(NamedTuple):
    levels: tuple  # of the groups
    high: tuple  # of the axes: 1 in a high half
    splits: tuple  # of the axes
    shape: tuple


def bands_of(shape, groups):
    """The rungs, each a list of its bands, in the order of coding."""
    every = [range(1, depth + 1) if depth else [0] for _, depth in groups]
    rungs = []
    for levels in sorted(itertools.product(*every), key=lambda levels: (-sum(levels), levels)):
        splits = [next(level for level, (axes, _) in zip(levels, groups, strict=True) if a in axes) for a in range(4)]
        rungs.append([Band(levels, high, tuple(splits), size) for high, size in choices(shape, groups, levels, splits)])
    return rungs


def choices(shape, groups, levels, splits):
    bands = []
    for high in itertools.product((0, 1), repeat=4):
        low_alone = all(
            any(high[a] for a in axes) or level == depth for level, (axes, depth) in zip(levels, groups, strict=True)
        )
        if low_alone and all(k or not h for k, h in zip(splits, high, strict=True)):
            size = [
                half_lengths(n, k)[k - h] // (1 + h) if h else half_lengths(n, k)[k]
                for n, k, h in zip(shape, splits, high, strict=True)
            ]
            bands.append((high, tuple(size)))
    return sorted(bands, key=lambda choice: (sum(choice[0]), choice[0]))


def pieces_of(shape, rungs, tile):
    """For each piece its parts: (band, where its tile begins, where it ends)."""
    grids = []
    for rung in rungs:
        low = low_of(shape, rung[0])
        grids.append([max(1, (n + tile // 2) // tile) for n in low])
    several = next((i for i, g in enumerate(grids) if math.prod(g) > 1), len(rungs))
    pieces = [[(band, (0,) * 4, band.shape) for rung in rungs[:several] for band in rung]]
    for rung, g in zip(rungs[several:], grids[several:], strict=True):
        for t in itertools.product(*map(range, g)):
            begin = tuple(i * tile for i in t)
            pieces.append([(band, begin, ends(band.shape, t, g, tile)) for band in rung])
    return pieces


def low_of(shape, band):
    """Lengths of the low half along each axis, of a band's rung."""
    return [half_lengths(n, k)[k] for n, k in zip(shape, band.splits, strict=True)]


def ends(shape, t, g, tile):
    return tuple(n if i == last - 1 else min((i + 1) * tile, n) for n, i, last in zip(shape, t, g, strict=True))


class Head(NamedTuple):
    low: float
    high: float
    groups: list
    tile: int
    origin: float
    exponent: int
    step: int
    slope: int
    centres: tuple
    preset: int


def head_of(r, code):
    low, high = r.get(code), r.get(code)
    assert low <= high
    groups = []
    for _ in range(r.get("B")):
        byte = r.get("B")
        groups.append((tuple(a for a in range(4) if byte >> 4 >> a & 1), byte & 15))
    assert sorted(a for axes, _ in groups for a in axes) == [0, 1, 2, 3]
    assert math.prod(depth * 2 ** len(axes) + 1 for axes, depth in groups) <= 2**14
    tile = r.get("B")
    assert 2 <= tile <= 30
    origin, exponent = r.get("d"), r.get("h")
    assert math.isfinite(origin)
    step, slope = r.count(), r.get("B")
    assert step <= 2**40
    return Head(low, high, groups, 2**tile, origin, exponent, step, slope, (r.get("b"), r.get("b")), r.get("B"))


def detail_samples(section, shape, code, tree=None, levels=None):
    """Samples in C order of the folded shape, or of its cells at a level of each axis."""
    levels = [0] * (4 - len(shape)) + list(levels or [0] * len(shape))
    shape = [1] * (4 - len(shape)) + list(shape)
    r = Bytes(section)
    head = head_of(r, code)
    numbers = numbers_of(r, head, shape)
    grids = {}
    for band, inside in numbers.items():
        width = step_of(head.step, head.slope, shape, band.splits, band.high)
        grids[band.levels, band.high] = {i: coefficient(n, width, head.centres) for i, n in inside.items()}
    integers = joined(grids, shape, head.groups, levels)
    values = [head.origin + scaled(n, head.exponent) for n in integers]
    if tree is not None:
        values = [x + float(v) for x, v in zip(values, tree, strict=True)]
    return [sample(x, code, head.low, head.high) for x in values]


def numbers_of(r, head, shape):
    """The numbers of every band."""
    rungs = bands_of(shape, head.groups)
    order = [band for rung in rungs for band in rung]
    pieces = pieces_of(shape, rungs, head.tile)
    means, shifts, weights, logits, sizes = parameters(r, len(order), len(pieces))
    lengths = lengths_of(r, sums(sizes))
    weights = [p + w for p, w in zip(PRESETS[head.preset], weights, strict=True)]
    tables = Tables(
        dict(zip(order, sums(means), strict=True)),
        dict(zip(order, sums(shifts), strict=True)),
        [weights[19 * i : 19 * i + 19] for i in range(8)],
        [[z[c] + logits[60 * i + c] for i, z in enumerate(LOGITS)] for c in range(60)],
        head.groups,
        rungs,
        shape,
        head.tile,
    )
    tables.check()
    decoder = Decoder(tables)
    for parts, length in zip(pieces, lengths, strict=True):
        decoder.piece(parts, r.take(length))
    assert r.at == len(r.data)
    return decoder.numbers


def parameters(r, bands, pieces):
    numbers = (bands, bands, 8 * 19, 3 * 60, pieces)
    heads = []
    for _ in numbers:
        largest = r.get("B")
        heads.append((largest, r.get("B") if largest else None))
    coder = Range(r.take(4 * r.count()))
    arrays = []
    for (largest, index), number in zip(heads, numbers, strict=True):
        if largest == 0:
            arrays.append([0] * number)
            continue
        table = laplace(index, largest)
        arrays.append([symbol - largest for symbol in coder.array(table, number)])
    coder.end()
    return arrays


def sums(differences):
    return list(itertools.accumulate(differences))


def lengths_of(r, sizes):
    assert all(0 <= b <= 30 for b in sizes)
    n = sum(b - 1 for b in sizes if b > 1)
    bits = Bits(int.from_bytes(r.take(-(-n // 8)), "little"))
    return [(1 << b - 1) + bits.take(b - 1) if b else 0 for b in sizes]


class Tables(NamedTuple):
    means: dict
    shifts: dict
    weights: list
    logits: list
    groups: list
    rungs: list
    shape: list
    tile: int

    def check(self):
        assert all(0 <= mean <= 55 for mean in self.means.values())
        assert all(0 <= shift <= 24 for shift in self.shifts.values())
        assert all(min(row) >= 0 and sum(row) <= 4096 for row in self.weights)

    def mean(self, band):
        b = self.means[band]
        return b if b < 4 else (4 + b % 4) << (b // 4 - 1)


class Decoder:
    """The numbers and the tokens of every band."""

    def __init__(self, tables):
        self.tables = tables
        bands = [band for rung in tables.rungs for band in rung]
        self.first = bands[0]
        self.by_name = {(band.levels, band.high): band for band in bands}
        self.numbers = {band: {} for band in bands}
        self.tokens = {band: {} for band in bands}

    def piece(self, parts, data):
        piece, coded = Piece(data), []
        for band, begin, end in parts:
            places = list(itertools.product(*map(range, begin, end)))
            if self.tables.means[band] and places:
                self.tile(piece, band, begin, end)
                coded.append((band, places))
            else:
                self.tokens[band] |= dict.fromkeys(places, 0)
                self.numbers[band] |= dict.fromkeys(places, 0)
        bits = piece.rest()
        for band, places in coded:
            self.numbers[band] |= self.finished(bits, band, places)
        assert bits.value == 0

    def finished(self, bits, band, places):
        """Numbers from tokens and the bits after them."""
        tokens, shift = self.tokens[band], self.tables.shifts[band]
        magnitudes = {}
        for at in places:
            magnitudes[at] = tokens[at]
            if tokens[at] == 15:
                b = bits.take(5)
                magnitudes[at] = 14 + 2**b + bits.take(b)
        if shift:
            magnitudes = {at: (m << shift) + bits.take(shift) for at, m in magnitudes.items()}
        assert max(magnitudes.values()) < 2**31
        return {at: -m if m and bits.take(1) else m for at, m in magnitudes.items()}

    def tile(self, piece, band, begin, end):
        size = [b - a for a, b in zip(begin[1:], end[1:], strict=True)]
        low = low_of(self.tables.shape, band)
        cells = math.prod((min(n, self.tables.tile) + 1) // 2 + 2 for n in low[1:])
        together = max(1, 2**12 // cells)
        for first in range(begin[0], end[0], together):
            frames = range(first, min(first + together, end[0]))
            maps = {frame: self.maps(band, (frame, *begin[1:]), size) for frame in frames}
            for (frame, *at), token in run_of_frames(piece, size, maps, self.tables, band).items():
                self.tokens[band][(frame, *(a + i for a, i in zip(begin[1:], at, strict=True)))] = token

    def maps(self, band, begin, size):
        """A, B and D: for each the number of its bands and its sums."""
        last = len(self.tables.groups) - 1
        parents = [self.parent(band, number) for number in range(last + 1)]
        rung = next(rung for rung in self.tables.rungs if band in rung)
        earlier = [(b, ()) for b in rung[: rung.index(band)] if b != self.first]
        return [
            self.map([parents[last]], begin, size),
            self.map(earlier, begin, size),
            self.map(parents[:last], begin, size),
        ]

    def parent(self, band, number):
        levels = list(band.levels)
        levels[number] += 1
        parent = self.by_name.get((tuple(levels), band.high)) if band.levels[number] else None
        return parent and (parent, self.tables.groups[number][0])

    def map(self, sources, begin, size):
        sources = [source for source in sources if source and math.prod(source[0].shape)]
        values = {}
        for at in itertools.product(*map(range, size)):
            place = (begin[0], *(a + i for a, i in zip(begin[1:], at, strict=True)))
            values[at] = sum(self.magnitude(*source, place) for source in sources)
        return len(sources), values

    def magnitude(self, band, halved, place):
        where = tuple(
            min(i // 2 if a in halved else i, n - 1) for a, (i, n) in enumerate(zip(place, band.shape, strict=True))
        )
        return MAGNITUDES[self.tokens[band][where]]
