"""What kernels are given: wide sums, and numbers of weights in the order that they want."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from tinc_codec.backends.torch.detail import contexts  # noqa: E402
from tinc_codec.backends.triton import quantising  # noqa: E402
from tinc_codec.detail.contexts import SIDES, WEIGHTS  # noqa: E402


def test_wide_sums_are_those_of_tensor_operations():
    frame = contexts.frame((5, 1, 4), torch.device("cpu"))
    sums = torch.from_numpy(np.random.default_rng(0).integers(0, 900, (2, 5, 3, 4)).astype(np.int32))
    for one, other in zip(quantising.wide(sums), contexts.wide(frame, sums), strict=True):
        assert torch.equal(one, other)


def test_every_weight_has_one_place():
    rows = np.tile(np.arange(1, WEIGHTS + 1), (8, 1))
    ordered = quantising._ordered(rows)
    assert sorted(ordered[0].tolist()) == list(range(WEIGHTS + 1))
    assert all(ordered[3, kind] == 1 + place for place, kind in enumerate(SIDES))
