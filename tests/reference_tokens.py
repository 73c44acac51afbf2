"""Tokens of detail and of masks, written from FORMAT.md alone: "Tokens of a pass", "Bits of a piece"."""

import math

from tests.reference_codes import frequencies

ONE = 2**24
SIGMOID = {z: round(ONE / (1 + math.exp(-z / 8))) for z in range(-96, 97)}


class Bits:
    """A string of bits as one integer, the first bit lowest; what is beyond its end is 0."""

    def __init__(self, value):
        self.value = value

    def take(self, n):
        part = self.value & ((1 << n) - 1)
        self.value >>= n
        return part


class Piece:
    """One lane of asymmetric numeral systems, whose code has no bytes of 0 at the end."""

    def __init__(self, data):
        assert not data or data[-1]
        data += bytes(-len(data) % 4)
        self.words = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
        self.state = self.words.pop() if data else 0
        self.refill()

    def refill(self):
        if self.state < 2**32 and self.words:
            self.state = (self.state << 32) + self.words.pop()

    def symbol(self, table):
        quantile = self.state % ONE
        below = symbol = 0
        while quantile >= below + table[symbol]:
            below += table[symbol]
            symbol += 1
        self.state = (self.state >> 24) * table[symbol] + quantile - below
        self.refill()
        return symbol

    def rest(self):
        """What is left after the last token."""
        return Bits(sum(word << 32 * i for i, word in enumerate([*self.words, self.state])))


def weights_of_tokens(logits):
    first, second, later = (SIGMOID[min(max(z, -96), 96)] for z in logits)
    weights, rest = [first], ONE - first
    for t in range(1, 15):
        kept = rest * (second if t == 1 else later) // ONE
        weights.append(rest - kept)
        rest = kept
    return [*weights, rest]


def table_of(weights):
    return frequencies(weights, weights.index(max(weights)))


def tokens_of_class(piece, logits, number):
    """`number` tokens in their order."""
    weights = weights_of_tokens(logits)
    table = table_of(weights)
    zeros = [table[0]]
    while len(zeros) <= 12 and zeros[-1] ** 2 // ONE >= 2**23:
        zeros.append(zeros[-1] ** 2 // ONE)
    longest = len(zeros) - 1
    if longest < 3 or number < 32:
        return [piece.symbol(table) for _ in range(number)]
    other, tokens = table_of(weights[1:]), []
    while len(tokens) < number:
        k = min(longest, (number - len(tokens)).bit_length() - 1)
        if piece.symbol([zeros[k], ONE - zeros[k]]) == 0:
            tokens += [0] * 2**k
            continue
        tokens += [0] * piece.symbol([ONE >> k] * 2**k)
        tokens.append(1 + piece.symbol(other))
    return tokens


def in_classes(piece, members, class_of, logits_of):
    """The tokens of a pass: classes ascending, the members of each in order."""
    tokens = {}
    for number in sorted({class_of[at] for at in members}):
        chosen = [at for at in members if class_of[at] == number]
        tokens |= zip(chosen, tokens_of_class(piece, logits_of(number), len(chosen)), strict=True)
    return tokens
