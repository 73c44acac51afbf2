import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tinc_codec.detail import estimate  # noqa: E402
from tinc_codec.encoding.fit.cost import cost  # noqa: E402


def band(spread, seed=0, shape=(1, 2, 1, 12, 12, 12)):
    return torch.as_tensor(np.random.default_rng(seed).laplace(0, spread, shape), dtype=torch.float32)


def test_it_orders_bands_as_the_estimate_of_the_encoder_does():
    spreads = (0.05, 0.2, 0.5, 1, 2, 4)
    found = [float(cost(band(spread))) for spread in spreads]
    known = [estimate.cost(band(spread)[0, 0].numpy(), 1.0) for spread in spreads]
    assert found == sorted(found)
    assert known == sorted(known)
    for ours, theirs in zip(found[1:], known[1:], strict=True):
        assert ours / 2 == pytest.approx(theirs / estimate.PRICE, rel=0.35)


def test_the_same_magnitudes_cost_less_together_than_apart():
    together, apart = torch.zeros(1, 1, 1, 16, 16, 16), torch.zeros(1, 1, 1, 16, 16, 16)
    together[0, 0, 0, :4, :4, :4] = 3.0
    apart[0, 0, 0, ::4, ::4, ::4] = 3.0
    assert float(cost(together)) < 0.7 * float(cost(apart))


def test_its_gradient_points_to_zero():
    values = band(1.0).requires_grad_()
    cost(values).backward()
    assert (values.grad * values.detach() >= 0).all()
    assert float(values.grad.abs().max()) > 0


@pytest.mark.parametrize("shape", [(1, 1, 1, 1, 1), (3, 1, 1, 5, 2), (1, 2, 3, 4, 5)])
def test_any_shape_of_four_axes(shape):
    assert float(cost(torch.zeros(shape)[None])) >= 0
    assert float(cost(torch.ones(shape)[None])) > 0


def test_a_chunk_costs_what_it_costs_alone():
    chunks = torch.cat([band(spread) for spread in (0.2, 3.0)])
    together = cost(chunks)
    assert together.shape == (2,)
    for number in range(2):
        assert float(together[number]) == pytest.approx(float(cost(chunks[number : number + 1])), rel=1e-6)
