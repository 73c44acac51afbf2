"""Exact values in context, written from FORMAT.md alone (section 13, "Masks")."""

import itertools
from collections import Counter

from tests.reference_codes import Bytes, parities, stored
from tests.reference_tokens import ONE, SIGMOID, Piece, in_classes

COUNTS = {1: 256, 2: 91, 3: 49, 4: 32, 5: 23, 6: 17, 8: 11, 9: 9, 12: 6, 13: 5, 16: 4}


def exact_in_context(section, shape, code):
    """Places in C order of the folded shape, and their values."""
    head = Bytes(section)
    mask = mask_of(head.take(head.count()), shape)
    places = [i for i, at in enumerate(itertools.product(*map(range, shape))) if mask[at]]
    return places, stored(section[head.at :], len(places), code)


def mask_of(data, shape):
    piece, mask, seen = Piece(data), {}, Counter()
    d = len(shape)
    coarsest = max(0, (max(shape) - 1).bit_length() - 2)
    one_lattice(piece, mask, seen, shape, coarsest, [(0,) * d], [])
    for level in range(coarsest - 1, -1, -1):
        one_lattice(piece, mask, seen, shape, level, parities(d), [(0,) * d])
    assert not piece.state
    assert not piece.words
    return mask


def one_lattice(piece, mask, seen, shape, level, coded, known):
    stride = 2**level
    lattice = [-(-n // stride) for n in shape]
    for parity in coded:
        offsets = neighbours(parity, known)
        members = list(itertools.product(*(range(p, n, 2) for p, n in zip(parity, lattice, strict=True))))
        if not known:
            members = list(itertools.product(*map(range, lattice)))
        one_pass(piece, mask, seen, lattice, stride, parity, members, offsets)
        known = [*known, parity]


def neighbours(parity, known):
    every = itertools.product(range(-2, 3), repeat=len(parity))
    near = [o for o in every if tuple((p + i) % 2 for p, i in zip(parity, o, strict=True)) in known]
    return sorted(near, key=lambda o: (sum(i * i for i in o), o))[:26]


def one_pass(piece, mask, seen, lattice, stride, parity, members, offsets):
    def is_set(at, o):
        place = []
        for i, step, n in zip(at, o, lattice, strict=True):
            odd = (i + step) % 2 if n > 1 else 0
            last = n - 1 - (n - 1 - odd) % 2
            place.append(min(max(i + step, odd), last) * stride)
        return mask[tuple(place)]

    total = sum(COUNTS[sum(i * i for i in o)] for o in offsets) or 1
    around = {}
    for at in members:
        bits = [is_set(at, o) for o in offsets]
        s = sum(COUNTS[sum(i * i for i in o)] for o, bit in zip(offsets, bits, strict=True) if bit)
        kind = 23 if s == total else (22 * s + total - 1) // total
        around[at] = kind, sum(bit << i for i, bit in enumerate(bits[:6]))
    n = len(members)
    parts = [members[n * i // 16 : n * (i + 1) // 16] for i in range(16)] if n > 4096 else [members]
    for part in parts:
        values = one_part(piece, part, around, parity, seen)
        for at, value in values.items():
            mask[tuple(i * stride for i in at)] = value
            kind, pattern = around[at]
            seen.update([(value, kind), (value, parity, kind), (value, parity, kind, pattern)])


def one_part(piece, members, around, parity, seen):
    classes, likelier = {}, {}
    for at in members:
        kind, pattern = around[at]
        p = min(max(kind * ONE // 23, 2**18), ONE - 2**18)
        for prior, where in ((2, (kind,)), (4, (parity, kind)), (4, (parity, kind, pattern))):
            n0, n1 = seen[(0, *where)], seen[(1, *where)]
            p = (n1 * ONE + prior * p) // (n0 + n1 + prior)
        likelier[at] = int(2 * p > ONE)
        q = p if likelier[at] else ONE - p
        classes[at] = sum(SIGMOID[2 * j - 1] <= q for j in range(1, 49))
    tokens = in_classes(piece, members, classes, lambda number: (2 * number, -96, -96))
    assert max(tokens.values(), default=0) <= 1
    return {at: likelier[at] ^ token for at, token in tokens.items()}
