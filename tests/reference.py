"""A decoder written from FORMAT.md alone, in Python integers: no NumPy, no constriction, nothing of tinc_codec.

It is slow and shares no code with the package, so that agreement of the two means something. Zstandard comes from
numcodecs, pcodec from pcodec, the rounding to float16 and float32 from `struct`. Here are the container, the sine tree
and the residual; `tests.reference_codes` has the entropy coders, `tests.reference_detail` and what it imports the
coefficients, `tests.reference_mask` exact values in context.
"""

import itertools
import math
import struct
from operator import getitem, mul

from tests.reference_codes import (
    CODES,
    Bytes,
    Lanes,
    Range,
    cast,
    crc32c,
    f32,
    frequencies,
    laplace,
    parities,
    stored,
)
from tests.reference_detail import detail_samples
from tests.reference_mask import exact_in_context

A = 1024
TABLE = [round(A * math.sin(2 * math.pi * j / 4096)) for j in range(4096)]


def decode(data):
    """Decode a stream to ``(shape, dtype code, flags, samples in C order)``."""
    sections, shape, code, flags, kind = unpack(data)
    kept, fill = shape, None
    if 9 in sections:
        crop = Bytes(sections[9])
        kept = [crop.count() for _ in shape]
        fill = crop.get(code)
    samples = kept_samples(sections, kept, code, flags, kind)
    if fill is not None:
        inside = iter(samples)
        places = itertools.product(*map(range, shape))
        samples = [next(inside) if all(i < k for i, k in zip(at, kept, strict=True)) else fill for at in places]
    return shape, code, flags, samples


def decode_level(data, levels):
    """Decode the detail of a stream at a level of each axis, to samples in C order of its cells.

    FORMAT.md says what a level is for the detail alone: no other section may have a part in the samples.
    """
    sections, shape, code, _, kind = unpack(data)
    assert kind == 2
    assert set(sections) <= {1, 12}
    return detail_samples(sections[12], fold(shape), code, levels=fold_levels(shape, levels))


def unpack(data):
    assert data[:4] == b"TINC"
    assert data[4] in (1, 2, 3, 4)
    assert crc32c(data[:-4]) == int.from_bytes(data[-4:], "little")
    head = Bytes(data[:-4])
    head.take(5)
    flags, kind, dtype, rank = (head.get("B") for _ in range(4))
    shape = [head.count() for _ in range(rank)]
    sections = {}
    for _ in range(head.get("B")):
        number = head.get("B")
        sections[number] = head.take(head.count())
    assert head.at == len(head.data)
    if data[4] < 4:
        assert kind < 2
        assert not {12, 13} & set(sections)
    return sections, shape, CODES[dtype], flags, kind


def kept_samples(sections, kept, code, flags, kind):
    total = math.prod(kept)
    if flags & 4:
        return stored(sections[8], total, code)
    places, values = [], []
    if 6 in sections:
        places, values = exact_samples(Bytes(sections[6]), total, code)
    if 13 in sections:
        assert 6 not in sections
        places, values = exact_in_context(sections[13], fold(kept), code)
    samples = model_samples(sections, fold(kept), code, kind)
    if 7 in sections:
        samples = residual_samples(Bytes(sections[7]), fold(kept), code, samples, set(places))
    for place, value in zip(places, values, strict=True):
        samples[place] = value
    if 10 in sections:
        places, values = exact_samples(Bytes(sections[10]), total, code)
        for place, value in zip(places, values, strict=True):
            samples[place] = value
    return samples


def model_samples(sections, shape, code, kind):
    samples = tree_samples(sections, shape, code) if kind in (1, 3) else None
    return detail_samples(sections[12], shape, code, samples) if kind in (2, 3) else samples


def exact_samples(exact, total, code):
    number = exact.count()
    mask = stored(exact.take(exact.count()), -(-total // 8), "B")
    places = [i for i in range(total) if mask[i // 8] >> (7 - i % 8) & 1]
    return places, stored(exact.data[exact.at :], number, code)


def fold(shape):
    shape = [n for n in shape if n != 1] or [1]
    while len(shape) > 4:
        shape = [shape[0] * shape[1], *shape[2:]]
    return shape


def fold_levels(shape, levels):
    return [k for n, k in zip(shape, levels, strict=True) if n != 1] or [0]


def tree_samples(sections, shape, code):
    d = len(shape)
    tree, layers = Bytes(sections[2]), Bytes(sections[3])
    assert (4 in sections) != (11 in sections)
    words = Range(sections[4]) if 4 in sections else Lanes(sections[11])
    offset, low, high = (tree.get(code) for _ in range(3))
    count = tree.get("B")
    splits = [0] + [tree.get("B") for _ in range(count - 1)]
    levels, positions, above = [], [tuple([0] * d)], [1]
    for number in range(count):
        halved = [a for a in range(d) if splits[number] >> a & 1]
        fanout = 2 ** len(halved)
        children = []
        for p in positions:
            for child in range(fanout if number else 1):
                at = list(p)
                for bit, a in enumerate(reversed(halved)):
                    at[a] = 2 * at[a] + (child >> bit & 1)
                children.append(tuple(at))
        positions = children
        n_layers, n_classes = tree.get("B"), tree.get("B")
        widths = [d] + [tree.count() for _ in range(n_classes)]
        free = [i for i in range(len(positions)) if above[i // fanout if number else 0]]
        counts = [tree.count() for _ in range(n_classes)]
        counts.append(len(free) - sum(counts))
        classes = [0] * len(positions)
        used = [c for c in range(n_classes + 1) if counts[c]]
        table = frequencies(counts, counts.index(max(counts))) if len(used) > 1 else None
        coded = words.array(table, len(free)) if table else used[:1] * len(free)
        for i, symbol in zip(free, coded, strict=True):
            classes[i] = symbol
        levels.append((n_layers, widths, classes, fanout))
        above = classes
    grid = [2 ** sum(s >> a & 1 for s in splits) for a in range(d)]
    cells = [-(-n // g) for n, g in zip(shape, grid, strict=True)]
    outputs = evaluate(levels, layers, words, cells)
    words.end()
    constant = [i for i in range(len(positions)) if i not in outputs]
    values = dict(zip(constant, stored(sections[5], len(constant), code), strict=True))
    samples = []
    block_of = {p: i for i, p in enumerate(positions)}
    for flat in range(math.prod(shape)):
        at, rest = [], flat
        for n in reversed(shape):
            at.insert(0, rest % n)
            rest //= n
        where = [next(i for i in range(g) if x < (i + 1) * n // g) for x, n, g in zip(at, shape, grid, strict=True)]
        local = [x - i * n // g for x, i, n, g in zip(at, where, shape, grid, strict=True)]
        leaf = block_of[tuple(where)]
        if leaf in values:
            samples.append(values[leaf])
            continue
        cell = 0
        for i, s in zip(local, cells, strict=True):
            cell = cell * s + i
        samples.append(intensity(outputs[leaf][cell], offset, low, high, code))
    return samples


def intensity(y, offset, low, high, code):
    if code in "efd":
        clipped = min(max(y + offset, low), high)
        return struct.unpack("<" + code, struct.pack("<" + code, clipped))[0]
    limit = 2**63 - 1024
    return min(max(offset + min(max(round(y), -limit), limit), low), high)


def evaluate(levels, layers, words, cells):
    points = []
    for flat in range(math.prod(cells)):
        at, rest = [], flat
        for s in reversed(cells):
            i = rest % s
            at.insert(0, (2 * A * (2 * i + 1 - s) + s) // (2 * s))
            rest //= s
        points.append(at)
    groups = {1: [(0, points)]}  # class -> (node, its outputs at every point), in order
    width_above = None
    for number, (n_layers, widths, classes, fanout) in enumerate(levels):
        new = {}
        for c in range(1, len(widths)):
            members = []
            for source, nodes in groups.items():
                chosen = [
                    (child, x)
                    for node, x in nodes
                    for child in ([0] if number == 0 else range(node * fanout, node * fanout + fanout))
                    if classes[child] == c
                ]
                if chosen:
                    columns = len(cells) if number == 0 else width_above[source]
                    members += apply(layers, words, chosen, widths[c], columns, False)
            if not members:
                continue
            for _ in range(n_layers - 1):
                members = apply(layers, words, members, widths[c], widths[c], False)
            if number == len(levels) - 1:
                members = apply(layers, words, members, 1, widths[c], True)
            new[c] = members
        groups, width_above = new, widths
    return {node: [x[0] for x in xs] for members in groups.values() for node, xs in members}


def apply(layers, words, members, rows, columns, linear):
    scale, multiplier = layers.get("d" if linear else "f"), layers.count()
    n = len(members)

    def values(number):
        largest = layers.count()
        table = laplace(layers.get("B"), largest) if largest else None
        return [symbol - largest for symbol in words.array(table, number)] if largest else [0] * number

    flat = values(n * rows * columns)
    weights = [[flat[(i * rows + r) * columns :][:columns] for r in range(rows)] for i in range(n)]
    flat = values(n * rows)
    biases = [flat[i * rows :][:rows] for i in range(n)]
    answer = []
    for (node, xs), w, b in zip(members, weights, biases, strict=True):
        outputs = []
        for x in xs:
            assert len(x) == columns
            sums = [sum(map(mul, row, x)) + multiplier * bias for row, bias in zip(w, b, strict=True)]
            assert max(map(abs, sums)) < 2**24
            if linear:
                outputs.append([s * scale for s in sums])
            else:
                outputs.append([TABLE[round(f32(s * scale)) % 4096] for s in sums])
        answer.append((node, outputs))
    return answer


def ordered(x, code):
    size = struct.calcsize(code)
    bits = int.from_bytes(struct.pack("<" + code, x), "little", signed=True)
    return bits if bits >= 0 else -(2 ** (8 * size - 1)) - bits


def from_ordered(o, code):
    size = struct.calcsize(code)
    bits = o if o >= 0 else -(2 ** (8 * size - 1)) - o
    return struct.unpack("<" + code, bits.to_bytes(size, "little", signed=True))[0]


def grid(r, code):
    """From samples to the grid, and back."""
    kind = r.get("B")
    assert kind in ((1, 2) if code in "efd" else (0,))
    if kind == 1:
        origin, quantum = r.get("d"), r.get("d")
        top = r.count()
        return (
            top,
            lambda v: min(max(round((v - origin) / quantum), 0), top),
            lambda y: cast(y * quantum + origin, code),
        )
    origin, quantum = r.get(code), r.count()
    top = r.count()
    if kind == 0:
        return top, lambda v: min((max(v - origin, 0) + quantum // 2) // quantum, top), lambda y: origin + quantum * y
    first = ordered(origin, code)
    return top, lambda v: min(max(ordered(v, code) - first, 0), top), lambda y: from_ordered(first + y, code)


def pairs_of(parity, known):
    near = []
    for o in itertools.product(range(-3, 4), repeat=len(parity)):
        first = next((i for i in o if i), 0)
        if first > 0 and tuple((p + i) % 2 for p, i in zip(parity, o, strict=True)) in known:
            near.append((sum(i * i for i in o), o))
    return [o for _, o in sorted(near)[:32]]


def all_passes(d, levels):
    yield levels, (0,) * d, []
    for level in range(levels - 1, -1, -1):
        known = {(0,) * d}
        for parity in parities(d):
            yield level, parity, pairs_of(parity, known)
            known.add(parity)


def residual_samples(r, shape, code, model, exact):
    d = len(shape)
    top, to_grid, to_sample = grid(r, code)
    start = r.count()
    tiles = [r.count() for _ in shape]
    levels = r.get("B")
    widths = [r.count() for _ in range(levels + 1)]
    steps = list(all_passes(d, levels))
    used = [r.get("B") for _ in steps]
    offsets = [[unzigzag(r.count()) for _ in range(2)] for j in used if j > 1]
    largest, index = r.count(), r.get("B")
    words = Range(r.take(4 * r.count()))
    table = laplace(index, largest) if largest else None
    models, rest = [], iter(offsets)
    for j in used:
        if j <= 1:
            models.append(([0] * j, 0, [256, 0, 128, 0, 0], 0))
            continue
        numbers = [symbol - largest for symbol in words.array(table, j + 5)] if largest else [0] * (j + 5)
        bias, floor = next(rest)
        models.append((numbers[:j], bias, numbers[j:], floor))
    words.end()
    thresholds = [r.count() for _ in range(r.get("B"))]
    sizes = [r.count() for _ in range(len(thresholds) + 1)]
    packed = stored(r.take(r.count()), sum(sizes), "B")
    tables = []
    for size in sizes:
        tables.append([b if b < 16 else (16 + b % 16) << (b // 16 - 1) for b in packed[:size]])
        packed = packed[size:]
    lengths = [4 * r.count() for _ in range(math.prod(tiles))]
    samples = [None] * math.prod(shape)
    flat = lambda at: sum(i * math.prod(shape[a + 1 :]) for a, i in enumerate(at))  # noqa: E731
    for number, tile in enumerate(itertools.product(*map(range, tiles))):
        low = [i * n // g for i, n, g in zip(tile, shape, tiles, strict=True)]
        high = [(i + 1) * n // g for i, n, g in zip(tile, shape, tiles, strict=True)]
        size = [b - a for a, b in zip(low, high, strict=True)]
        places = list(itertools.product(*map(range, size)))
        where = {at: flat([i + j for i, j in zip(at, low, strict=True)]) for at in places}
        predicted = {at: start if model is None else to_grid(model[where[at]]) for at in places}
        values, errors = dict(predicted), dict.fromkeys(places, 0)
        coder = Range(r.take(lengths[number]))
        for (level, parity, pairs), pass_model in zip(steps, models, strict=True):
            stride = 2**level
            if pairs:
                axes = [range(p * stride, n, 2 * stride) for p, n in zip(parity, size, strict=True)]
            elif level == levels and not any(parity):
                axes = [range(0, n, stride) for n in size]
            else:
                continue
            members = list(itertools.product(*axes))
            if not members:
                continue
            coded = {at: where[at] not in exact for at in members}
            one_pass(
                coder,
                members,
                coded,
                size,
                stride,
                pairs,
                pass_model,
                predicted,
                values,
                errors,
                thresholds,
                tables,
                top,
                widths[level],
            )
        coder.end()
        for at in places:
            samples[where[at]] = to_sample(values[at])
    assert r.at == len(r.data)
    return samples


def unzigzag(u):
    return -(u + 1) // 2 if u % 2 else u // 2


def one_pass(coder, members, coded, size, stride, pairs, model, base, values, errors, thresholds, tables, top, width):
    weights, bias, spread, floor = model
    lattice = [-(-n // stride) for n in size]

    def moved(step, axis):
        """Where each coordinate of an axis comes to."""
        n, places = lattice[axis], []
        for i in range(size[axis]):
            j = i // stride + step
            while not 0 <= j < n:
                j = 0 if n == 1 else -j if j < 0 else 2 * (n - 1) - j
            places.append(j * stride)
        return places

    sides = [[[moved(sign * step, axis) for axis, step in enumerate(o)] for sign in (1, -1)] for o in pairs]

    expected, contexts = {}, {}
    for at in members:
        around = [(tuple(map(getitem, up, at)), tuple(map(getitem, down, at))) for up, down in sides[: len(weights)]]
        b = [values[p] + values[m] for p, m in around]
        total = 1024 * base[at]
        if b:
            total = 512 * b[0] + weights[0] * (2 * base[at] - b[0]) + bias
            total += sum(w * (x - b[0]) for w, x in zip(weights[1:], b[1:], strict=True))
        p = min(max((total + 512) // 1024, 0), top)
        expected[at] = p
        near, far = around[:2], around[:6]
        terms = [sum(abs(values[x] - p) for pair in part for x in pair) for part in (near, far)]
        terms += [sum(errors[x] for pair in part for x in pair) for part in (near, far)]
        m = 16 * (floor + sum(v * t for v, t in zip(spread, terms, strict=False))) + spread[4] * p
        contexts[at] = sum(16 * t <= m for t in thresholds)
    tokens = {}
    for context, weight in enumerate(tables):
        table = frequencies(weight, weight.index(max(weight))) if sum(w > 0 for w in weight) > 1 else None
        only = next((t for t, w in enumerate(weight) if w), 0)
        for at in members:
            if coded[at] and contexts[at] == context:
                tokens[at] = coder.symbol(table) if table else only
    bits = {at: 0 if t < 16 else 1 + (t - 16) // 8 for at, t in tokens.items()}
    extra = dict.fromkeys(tokens, 0)
    for count in sorted(set(bits.values())):
        for done in range(0, count, 12):
            piece = min(12, count - done)
            table = frequencies([1] * 2**piece, 0)
            for at in members:
                if coded[at] and bits[at] == count:
                    extra[at] += coder.symbol(table) << done
    for at in members:
        t = tokens.get(at, 0)
        k = unzigzag(t if t < 16 else ((8 + t % 8) << bits[at]) + extra[at])
        values[at] = min(max(expected[at] + k * width, 0), top)
        errors[at] = abs(values[at] - expected[at])
