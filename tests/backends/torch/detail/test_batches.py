"""Every piece is in one batch with others like it, after those that it needs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detail.cases import plans
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.sample import Sample

pytest.importorskip("torch")
from tinc_codec.backends.torch.detail import batches as module  # needs torch
from tinc_codec.backends.torch.detail.batches import batches, looked_at

LARGE = layout(Plan((1, 40, 40, 36), (Group((0,), 0), Group((1, 2, 3), 2)), 8))


def boxes(parts):
    """For each piece its bands and boxes, as far as a batch tells them."""
    return {
        (tuple(piece.bands), tuple(map(tuple, piece.boxes[:, :, 0])), tuple(map(tuple, np.ptp(piece.boxes, axis=2))))
        for piece in parts
    }


def unpacked(found):
    """The same of batches."""
    return [
        (batch.bands, tuple(map(tuple, batch.begins[:, number])), batch.lengths)
        for batch in found
        for number in range(batch.begins.shape[1])
    ]


@given(plans())
def test_every_piece_is_in_one_batch(plan):
    parts = layout(plan)
    each = unpacked(batches(Sample.all(parts)))
    assert len(each) == len(parts.pieces)
    assert set(each) == boxes(parts.pieces)


def test_pieces_that_others_need_come_first_and_weights_tell_batches_apart():
    waves = {tuple(piece.bands): wave for piece, wave in zip(LARGE.pieces, module._waves(LARGE), strict=True)}
    found = [waves[batch.bands] for batch in batches(Sample.all(LARGE))]
    assert found == sorted(found)
    assert len(found) < len(LARGE.pieces) / 2
    weights = np.where(np.arange(len(LARGE.pieces)) % 2, 3.0, 1.0)
    told = batches(Sample(LARGE, tuple(range(len(LARGE.pieces))), weights))
    assert {batch.weight for batch in told} == {1.0, 3.0}
    assert sum(batch.weight * batch.begins.shape[1] for batch in told) == weights.sum()


def test_batches_are_no_larger_than_is_allowed(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2000)
    module._batches.cache_clear()
    found = batches(Sample.all(LARGE))
    module._batches.cache_clear()
    assert len(unpacked(found)) == len(LARGE.pieces)
    assert max(batch.begins.shape[1] for batch in found) == 2000 // 512
    assert all(batch.begins.shape[1] == 1 or np.prod(batch.lengths, axis=1).max() <= 1000 for batch in found)


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 7), st.sampled_from([1, 3, 5, 7]))
def test_of_every_so_many_in_order_the_middle_one_is_looked_at(frames, together, cells, every):
    expected = []
    for begin in range(0, frames, together):
        order = np.arange(begin * cells, min(begin + together, frames) * cells)
        expected += order[every // 2 :: every].tolist()
    assert looked_at(frames, together, cells, every).tolist() == expected
