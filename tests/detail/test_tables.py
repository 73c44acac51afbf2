from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.tables import (
    DEFAULTS,
    FEWEST_RUN,
    LARGEST_LOGIT,
    LONGEST_RUN,
    TOKENS,
    ClassTables,
    class_tables,
    logistic,
)
from tinc_codec.stream.entropy import PRECISION, TOTAL, count_frequencies

LOGITS = st.lists(st.integers(-LARGEST_LOGIT, LARGEST_LOGIT), min_size=3, max_size=3)


def weights_of(logits):
    """Weights of tokens, one after the other, in Python's integers."""
    zero, more, further = (int(logistic()[logit + LARGEST_LOGIT]) for logit in logits)
    weights, rest = [zero], TOTAL - zero
    for step in (more, *(further,) * (TOKENS - 3)):
        on = rest * step >> PRECISION
        weights.append(rest - on)
        rest = on
    return [*weights, rest]


@given(st.lists(LOGITS, min_size=1, max_size=5))
def test_all_tables_are_those_of_each(logits):
    tables = ClassTables(np.array(logits).T)
    for number, three in enumerate(logits):
        weights = weights_of(three)
        assert (tables.tokens[number] == count_frequencies(weights)).all()
        assert (tables.above_zero[number] == count_frequencies(weights[1:])).all()
        assert (tables[number].tokens.shares == tables.tokens[number]).all()


@given(LOGITS)
def test_runs_are_of_zeros_that_are_likely(logits):
    table = ClassTables(np.array([logits]).T)[0]
    zero = Fraction(int(table.tokens.shares[0]), TOTAL)
    assert not table.runs or FEWEST_RUN < len(table.runs) <= LONGEST_RUN + 1
    for k, run in enumerate(table.runs):
        assert run.shares.sum() == TOTAL
        assert abs(Fraction(int(run.shares[0]), TOTAL) - zero ** (2**k)) < Fraction(2**k, TOTAL)
        assert k == 0 or 2 * run.shares[0] >= TOTAL


def test_differences_are_clipped():
    tables = class_tables(np.full((3, CLASSES), 1000))
    assert (tables.logits == LARGEST_LOGIT).all()
    assert (class_tables(np.zeros((3, CLASSES), int)).logits == DEFAULTS).all()
