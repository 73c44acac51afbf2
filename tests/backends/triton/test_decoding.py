"""Kernels decode to the bytes of the reference; through Triton's interpreter."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from tests.models import decoded, random_model  # noqa: E402
from tinc_codec.backends.torch import inference  # noqa: E402
from tinc_codec.backends.triton.decoding import FusedModel  # noqa: E402
from tinc_codec.backends.triton.limits import refusal  # noqa: E402


@pytest.mark.parametrize(
    ("shape", "dtype", "tree"),
    [
        ((40,), "u1", {}),
        ((17, 20), "f4", {"widest": 9, "levels": 2}),
        ((9, 16, 17), "u2", {"levels": 2, "classes": 1}),
        ((12, 11), "i8", {"widest": 32, "levels": 1, "empty": 0.0}),
        ((2, 7, 3, 8), "f8", {"levels": 2}),
    ],
)
def test_kernels_give_the_same_bytes(monkeypatch, shape, dtype, tree):
    monkeypatch.setattr(inference, "_evaluator", FusedModel)
    for seed in range(3):
        model = random_model(np.random.default_rng(seed), shape, dtype, **tree)
        if len(model.tree.leaves):
            assert refusal(model.tree) is None
            assert inference.decode(model, "cpu").tobytes() == decoded(model).tobytes()


def test_sums_are_those_of_single_layers():
    model = random_model(np.random.default_rng(4), (30, 31), "f8", widest=12)
    coordinates = torch.as_tensor(inference.inference.local_coordinates(model.tree.partition.leaf_shape))
    expected = inference._layer_by_layer(model, torch.device("cpu"))(coordinates)
    assert torch.equal(FusedModel(model, torch.device("cpu"))(coordinates), expected)
