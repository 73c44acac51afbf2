"""A decoder written from FORMAT.md alone, in Python integers: no NumPy, no constriction, nothing of tinc_codec.

It is slow and shares no code with the package, so that agreement of the two means something. Zstandard comes from
numcodecs, the float32 rounding from `struct`.
"""

import math
import struct

from numcodecs.zstd import Zstd

A = 1024
CODES = {1: "B", 2: "H", 3: "I", 4: "Q", 5: "b", 6: "h", 7: "i", 8: "q", 9: "e", 10: "f", 11: "d"}
TABLE = [round(A * math.sin(2 * math.pi * j / 4096)) for j in range(4096)]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        part = self.data[self.at : self.at + n]
        assert len(part) == n
        self.at += n
        return part

    def get(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def count(self):
        value = shift = 0
        while True:
            byte = self.get("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


class Range:
    def __init__(self, data):
        self.words = [w for (w,) in struct.iter_unpack("<I", data)]
        self.at, self.lower, self.range = 0, 0, 2**64 - 1
        self.point = self.word() << 32 | self.word()

    def word(self):
        self.at += 1
        return self.words[self.at - 1] if self.at <= len(self.words) else 0

    def symbol(self, frequencies):
        mask = 2**64 - 1
        scale = self.range >> 24
        quantile = ((self.point - self.lower) & mask) // scale
        assert quantile < 2**24
        below = 0
        for symbol, frequency in enumerate(frequencies):  # noqa: B007
            if quantile < below + frequency:
                break
            below += frequency
        self.lower = self.lower + scale * below & mask
        self.range = scale * frequency
        if self.range < 2**32:
            self.lower = self.lower << 32 & mask
            self.range = self.range << 32 & mask
            self.point = (self.point << 32 | self.word()) & mask
        return symbol


def frequencies(weights, rest):
    f = [1 + w * (2**24 - len(weights)) // sum(weights) for w in weights]
    f[rest] += 2**24 - sum(f)
    return f


def laplace(t, largest):
    e = 5 + t // 16
    one = 2**62
    r = (2**e - 31 + t % 16) << 62 >> e
    q = r * r >> 62
    w = [one - r, (r * (one - q) >> 62) >> 1]
    while len(w) <= largest:
        w.append(w[-1] * q >> 62)
    w = w[: largest + 1]
    return frequencies(w[:0:-1] + w, largest)


def stored(data, count, code):
    method, payload = data[0], data[1:]
    size = struct.calcsize("<" + code)
    if method == 1:
        return [struct.unpack("<" + code, payload)[0]] * count
    if method == 2:
        shuffled = bytes(Zstd().decode(payload))
        payload = b"".join(shuffled[i::count] for i in range(count)) if count else b""
    assert len(payload) == size * count
    return [v for (v,) in struct.iter_unpack("<" + code, payload)]


def decode(data):
    """Decode a stream to ``(shape, dtype code, flags, samples in C order)``."""
    assert data[:5] == b"TINC\x01"
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
    code, total = CODES[dtype], math.prod(shape)
    if flags & 4:
        return shape, code, flags, stored(sections[8], total, code)
    assert kind == 1
    samples = tree_samples(sections, fold(shape), code)
    if 6 in sections:
        exact = Bytes(sections[6])
        number = exact.count()
        mask = stored(exact.take(exact.count()), -(-total // 8), "B")
        places = [i for i in range(total) if mask[i // 8] >> (7 - i % 8) & 1]
        values = stored(exact.data[exact.at :], number, code)
        for place, value in zip(places, values, strict=True):
            samples[place] = value
    return shape, code, flags, samples


def fold(shape):
    shape = [n for n in shape if n != 1] or [1]
    while len(shape) > 4:
        shape = [shape[0] * shape[1], *shape[2:]]
    return shape


def tree_samples(sections, shape, code):
    d = len(shape)
    tree, layers, words = Bytes(sections[2]), Bytes(sections[3]), Range(sections[4])
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
        for i in free:
            classes[i] = words.symbol(table) if table else used[0]
        levels.append((n_layers, widths, classes, fanout))
        above = classes
    grid = [2 ** sum(s >> a & 1 for s in splits) for a in range(d)]
    cells = [-(-n // g) for n, g in zip(shape, grid, strict=True)]
    outputs = evaluate(levels, layers, words, cells)
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
        return [words.symbol(table) - largest if largest else 0 for _ in range(number)]

    flat = values(n * rows * columns)
    weights = [[flat[(i * rows + r) * columns :][:columns] for r in range(rows)] for i in range(n)]
    flat = values(n * rows)
    biases = [flat[i * rows :][:rows] for i in range(n)]
    answer = []
    for (node, xs), w, b in zip(members, weights, biases, strict=True):
        outputs = []
        for x in xs:
            sums = [sum(p * v for p, v in zip(w[r], x, strict=True)) + multiplier * b[r] for r in range(rows)]
            assert max(map(abs, sums)) < 2**24
            if linear:
                outputs.append([s * scale for s in sums])
            else:
                outputs.append([TABLE[round(f32(s * scale)) % 4096] for s in sums])
        answer.append((node, outputs))
    return answer
