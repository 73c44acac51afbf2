"""Arrangements of what is wanted are kept where that is worth its memory."""

import numpy as np

from tinc_codec.runtime.caching import kept
from tinc_codec.tree import pieces
from tinc_codec.tree.partition import partition


def test_planes_of_a_chunk_share_what_they_have_alike():
    kept.clear()
    part = partition((32, 32, 32), 3)
    across = np.arange(32)
    for plane in range(4):
        product = pieces.product(part, (np.array([plane]), across, across))
        assert product.shape == (1, 32, 32)
        assert pieces.product(part, (np.array([plane]), across, across)) is product
    assert len(kept) == 4 + (4 + 2)  # products, and what lies along each axis: the planes' places, and both others


def test_what_is_large_is_not_kept_and_the_same():
    kept.clear()
    part = partition((2**14,), 3)
    large = np.arange(2**14)
    product = pieces.product(part, (large,))
    assert product.arranged(np.zeros(product.shape)).shape == large.shape
    assert len(kept) == 0
    small = pieces.product(part, (large[:100],))
    assert small.arranged(np.zeros(small.shape)).shape == (100,)
    assert len(kept) == 1 + 1
