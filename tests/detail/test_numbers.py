"""Pieces are decoded when they are asked for, once, and those without a code not at all."""

from tests.detail.cases import known, random_model
from tinc_codec.detail import reference
from tinc_codec.detail.numbers import Numbers
from tinc_codec.detail.plan import Group, Plan

PLAN = Plan((1, 9, 14, 17), (Group((0, 1), 0), Group((2, 3), 2)), 8)


class Counting:
    """The reference, with a note of every piece that is read."""

    def __init__(self):
        self.read = []

    def walker(self, model, numbers, magnitudes=None):
        walker, pieces, seen = reference.walker(model, numbers, magnitudes), model.layout.pieces, self.read

        class Walker:
            parallel = True

            def read(self, piece, code):
                seen.append(pieces.index(piece))
                walker.read(piece, code)

        return Walker()


def test_what_is_asked_for_is_decoded_once_and_nothing_else():
    model, numbers = random_model(PLAN, 4)
    writer = reference.walker(model, numbers, known(model, numbers))
    codes = tuple(writer.write(piece) for piece in model.layout.pieces)
    work = Counting()
    lazily = Numbers(model, codes, work)
    assert lazily.nbytes == 0
    first = lazily.of([0])
    assert work.read == [0]
    assert lazily.nbytes == model.layout.size * 5
    lazily.of([0])
    assert work.read == [0]
    everything = lazily.of(range(len(codes)))
    assert everything is first
    assert sorted(work.read) == list(range(len(codes)))
    assert (everything == numbers).all()


def test_a_piece_without_a_code_is_zeros():
    model, _ = random_model(PLAN, 4)
    work = Counting()
    numbers = Numbers(model, (b"",) * len(model.layout.pieces), work).of(range(len(model.layout.pieces)))
    assert not numbers.any()
    assert work.read == []
