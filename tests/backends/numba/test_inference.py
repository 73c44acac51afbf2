"""How the compiled decoder divides its work."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import random_model
from tinc_codec.tree.node_layout import lay_out
from tinc_codec.tree.pieces import product

pytest.importorskip("numba")

from tinc_codec.backends.numba import inference as inference_numba


@given(seed=st.integers(0, 2**32 - 1), worth=st.sampled_from([2**6, 2**10, 2**22]))
def test_parts_are_of_all_that_is_wanted_and_cost_what_their_networks_do(seed, worth):
    rng = np.random.default_rng(seed)
    layout = lay_out(random_model(rng, (40, 37), "u2", widest=9))
    wanted = [np.sort(rng.choice(n, int(rng.integers(1, n)), replace=False)) for n in (40, 37)]
    for batch in product(layout.model.tree.partition, wanted).batches():
        parts, work = inference_numba.divided.py_func(
            batch.sizes, batch.leaves, layout.layers, layout.first, layout.count, layout.below, layout.network, worth
        )
        leaf = point = 0
        for leaves, points in batch.sizes.tolist():
            mine = (parts[:, 0] == leaf) & (parts[:, 2] >= point) & (parts[:, 2] < point + points)
            begins, ends = parts[mine, 2], parts[mine, 3]
            assert (parts[mine, 1] == leaf + leaves).all()
            assert [point, *ends[:-1]] == begins.tolist()
            assert ends[-1] == point + points
            assert ((ends - begins)[:-1] % inference_numba.VECTOR == 0).all()
            cost = 0
            chosen = [n for n in batch.leaves[leaf : leaf + leaves].tolist() if layout.network[n]]
            for first, count, below in zip(layout.first, layout.count, layout.below, strict=True):
                for node in {n // below for n in chosen}:
                    rows = layout.layers[first + node * count : first + (node + 1) * count]
                    cost += int((rows[:, 2] * rows[:, 3]).sum())
            lanes = -(-points // inference_numba.VECTOR) * inference_numba.VECTOR
            assert work[mine].sum() == pytest.approx(cost * lanes)
            leaf, point = leaf + leaves, point + points
