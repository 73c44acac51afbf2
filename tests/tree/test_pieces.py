"""Arrangements of what is wanted are kept where that is worth its memory."""

import numpy as np

from tinc_codec.runtime.caching import kept as store
from tinc_codec.tree import pieces as wanted
from tinc_codec.tree import runs
from tinc_codec.tree.partition import partition


def kept():
    functions = [key[0] for key in store._entries]
    return functions.count(wanted._product.__wrapped__), functions.count(runs.runs_of.__wrapped__)


def forget():
    store.clear()


def test_planes_of_a_chunk_share_what_they_have_alike():
    forget()
    part = partition((32, 32, 32), 3)
    across = np.arange(32)
    for plane in range(4):
        product = wanted.product(part, (np.array([plane]), across, across))
        assert product.shape == (1, 32, 32)
        assert wanted.product(part, (np.array([plane]), across, across)) is product
    assert kept() == (4, 4 + 2)


def test_what_is_large_is_not_kept_and_the_same():
    forget()
    part = partition((2**14,), 3)
    large = np.arange(2**14)
    product = wanted.product(part, (large,))
    assert product.arranged(np.zeros(product.shape)).shape == large.shape
    assert kept() == (0, 0)
    small = wanted.product(part, (large[:100],))
    assert small.arranged(np.zeros(small.shape)).shape == (100,)
    assert kept() == (1, 1)
