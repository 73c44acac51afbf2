import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.models import decoded, random_tree  # noqa: E402
from tinc_codec.encoding.fit import network  # noqa: E402
from tinc_codec.encoding.fit.quantisation import laplace_bits, noise, own_bits, rounded, to_layers  # noqa: E402
from tinc_codec.stream.entropy import Encoder, best_table  # noqa: E402
from tinc_codec.tree.inference import local_coordinates  # noqa: E402
from tinc_codec.tree.model import AMPLITUDE, EXACT_SUM, LARGEST_WEIGHT, Model, Parameters  # noqa: E402


@pytest.mark.parametrize("spread", [0.4, 1.0, 20.0])
def test_the_differentiable_rate_is_that_of_the_coder(spread):
    q = np.clip(np.rint(np.random.default_rng(0).laplace(0, spread, 5000)), -2000, 2000)
    values = torch.as_tensor(q, dtype=torch.float32)
    index = network.Index((), torch.zeros(5000, dtype=torch.int64), torch.tensor([[5000.0]]))
    estimate = float(own_bits(values[None], index))
    q, largest = q.astype(int), int(np.abs(q).max())
    encoder = Encoder()
    encoder.laplace(q, best_table(q, largest), largest)
    assert estimate == pytest.approx(8 * len(encoder.bytes()), rel=0.05)


def test_rate_is_continuous_and_its_gradient_points_to_zero():
    q = torch.linspace(-3, 3, 2001, requires_grad=True)
    bits = laplace_bits(q, torch.ones(2001))
    assert float((bits[1:] - bits[:-1]).detach().abs().max()) < 0.01
    bits.sum().backward()
    assert (torch.sign(q.grad[:900]) == -1).all()
    assert (torch.sign(q.grad[-900:]) == 1).all()


def test_noise_is_one_step_wide_and_rounding_lets_gradients_through():
    drawn = noise(10000, [torch.Generator().manual_seed(seed) for seed in (0, 1)])
    assert torch.equal(drawn[1:], noise(10000, [torch.Generator().manual_seed(1)]))
    assert not torch.equal(drawn[0], drawn[1])
    assert drawn.abs().max() <= 0.5
    assert float(drawn.std()) == pytest.approx(math.sqrt(1 / 12), rel=0.02)
    q = torch.tensor([0.4, 1.6], requires_grad=True)
    r = rounded(q)
    assert r.detach().tolist() == [0, 2]
    r.sum().backward()
    assert q.grad.tolist() == [1, 1]


@pytest.mark.parametrize("growth", [1.0, 30.0, 3000.0])
def test_integers_evaluate_to_what_the_floats_say_and_stay_within_their_bounds(growth):
    rng = np.random.default_rng(1)
    tree = random_tree(rng, (16, 18), widest=12, empty=0.0)
    index = network.index(tree, torch.device("cpu"))
    count = tree.parameters
    theta = rng.normal(0, 1, count) * growth ** (rng.random(count) < 0.02)
    steps = np.full(2 * len(tree.tensors), 0.01)
    layers = to_layers(tree, index, theta, steps, 50.0, 3.0)
    for layer in layers:
        assert np.abs(layer.weights).max() <= LARGEST_WEIGHT
        assert np.abs(layer.biases).max() <= LARGEST_WEIGHT
        assert layer.largest_sum < EXACT_SUM
    offset, low, high = np.float32([0, -1e9, 1e9])
    model = Model(tree, Parameters.of(layers), np.dtype("f4"), offset, low, high, np.zeros(0, "f4"))
    model.check()
    if growth > 1:
        return
    coordinates = local_coordinates(tree.partition.leaf_shape)
    got = tree.partition.to_blocks(decoded(model))[tree.leaves]
    points = torch.as_tensor(coordinates / AMPLITUDE, dtype=torch.float64)
    expected = network.LayeredTree(tree, index)(torch.as_tensor(theta)[None], points[None])[0] * 50 + 3
    assert np.abs(got - expected.numpy()).max() < 0.1 * float(expected.std())
