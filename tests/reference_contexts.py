"""Contexts of the detail's tokens, written from FORMAT.md alone (section 12, "Passes")."""

import itertools

from tests.reference_tokens import in_classes

MAGNITUDES = (0, 16, 29, 40, 50, 58, 66, 72, 78, 85, 91, 96, 101, 106, 110, 115)
ORDER = tuple(tuple(map(int, p)) for p in ("000", "100", "010", "001", "110", "101", "011", "111"))
FLIPS = tuple(tuple(map(int, f)) for f in ("100", "010", "001", "110", "101", "011", "111"))


def counts_of(size, parity):
    """Cells that have a coefficient of a parity, along each axis."""
    return [(n + 1 - p) // 2 for n, p in zip(size, parity, strict=True)]


def looked_up(values, size, parity, cell):
    place = []
    for c, p, count in zip(cell, parity, counts_of(size, parity), strict=True):
        if count == 0:
            return 0
        place.append(2 * min(max(c, 0), count - 1) + p)
    return values.get(tuple(place), 0)


def near_and_far(values, size, known):
    """N and F at every cell."""
    cells = [(n + 1) // 2 for n in size]
    total = {
        cell: sum(looked_up(values, size, parity, cell) for parity in known)
        for cell in itertools.product(*map(range, cells))
    }
    near = around(total, cells)
    return near, {cell: (v + 32) // 64 for cell, v in around(near, cells).items()}


def around(values, cells):
    """Sums over 3 x 3 x 3 cells."""
    for axis, n in enumerate(cells):
        values = {
            at: sum(values[(*at[:axis], min(max(at[axis] + o, 0), n - 1), *at[axis + 1 :])] for o in (-1, 0, 1))
            for at in values
        }
    return values


def run_of_frames(piece, size, maps, tables, band):
    """The tokens of some frames, in eight passes; `maps`: of each frame."""
    map_sums = {
        frame: [(m, values, *near_and_far(values, size, ORDER)) for m, values in each] for frame, each in maps.items()
    }
    tokens, known = {}, {frame: {} for frame in maps}
    for number, parity in enumerate(ORDER):
        places = list(itertools.product(*(range(p, n, 2) for p, n in zip(parity, size, strict=True))))
        if not places:
            continue
        classes = {}
        for frame in maps:
            sums_of, divisors = pass_sums(known[frame], size, number, map_sums[frame])
            mean, row = tables.mean(band), tables.weights[number]
            classes |= {(frame, *at): class_of(row, sums_of(at), divisors, mean) for at in places}
        new = in_classes(piece, list(classes), classes, lambda c: tables.logits[c])
        tokens |= new
        for (frame, *at), token in new.items():
            known[frame][tuple(at)] = MAGNITUDES[token]
    return tokens


def pass_sums(known, size, number, map_sums):
    """What gives S0 .. S17 of a coefficient in pass `number`, and their divisors."""
    parity, before = ORDER[number], ORDER[:number]
    near, far = near_and_far(known, size, before)
    flips = []
    for flip in FLIPS:
        other = tuple(p ^ f for p, f in zip(parity, flip, strict=True))
        flips.append(flip if other in before else None)
    divisors = [64 * 2 ** sum(flip) if flip else 0 for flip in flips] + [64 * 27 * number, 729 * number]
    for m, *_ in map_sums:
        divisors += [64 * m, 64 * 27 * 8 * m, 729 * 8 * m]

    def neighbours(at, flip):
        every = itertools.product(*((-1, 1) if f else (0,) for f in flip))
        total = 0
        for o in every:
            place = [i + step for i, step in zip(at, o, strict=True)]
            total += looked_up(known, size, [i % 2 for i in place], [i // 2 for i in place])
        return total

    def sums_of(at):
        cell = tuple(i // 2 for i in at)
        sums = [neighbours(at, flip) if flip else 0 for flip in flips] + [near[cell], far[cell]]
        for _, values, map_near, map_far in map_sums:
            sums += [values[at], map_near[cell], map_far[cell]]
        return sums

    return sums_of, divisors


def class_of(row, sums, divisors, mean):
    unknown = row[18] + sum(w for w, d in zip(row, divisors, strict=False) if d == 0)
    expected = (unknown * mean << 4) + sum(
        (w * 2**19 + d) // (2 * d) * s for w, d, s in zip(row, divisors, sums, strict=False) if d
    )
    expected = max(expected, 1)
    e = expected.bit_length() - 1
    f = (expected << 2 >> e) & 3
    return min(max(4 * e + f - 48, 0), 59)
