"""Steps along the gradient, and the rate over a training."""

import pytest

torch = pytest.importorskip("torch")

from tinc_codec.encoding.fit.optimiser import Optimiser, schedule  # noqa: E402


@pytest.mark.parametrize("steps", [50, 1000])
def test_the_rate_rises_for_a_little_and_falls_to_the_last(steps):
    rates = [schedule(step / steps, steps, 0.1, 0.02) for step in range(steps)]
    peak = rates.index(max(rates))
    assert 0.05 <= peak / steps <= 0.15
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0.9 < max(rates) <= 1
    assert schedule(1.0, steps, 0.1, 0.02) == pytest.approx(0.02)


def test_a_loss_becomes_less_at_a_rate_and_stays_without_one():
    weights = torch.tensor([3.0, -2.0], requires_grad=True)
    optimiser = Optimiser([weights])
    losses = []
    for rate in (0.0, 0.1, 0.1, 0.1):
        loss = (weights * weights).sum()
        losses.append(float(loss.detach()))
        optimiser.rate.fill_(rate)
        optimiser.step(loss)
    assert losses[0] == losses[1] > losses[2] > losses[3]


def test_a_matrix_moves_by_the_rate_alone_whatever_the_size_of_its_gradient_and_others_by_adam():
    start = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])
    ends = []
    for size in (1.0, 1e4):
        weights = start.clone().requires_grad_()
        optimiser = Optimiser([weights], [torch.tensor([[[0, 1], [2, 3]]])])
        optimiser.rate.fill_(0.1)
        optimiser.step(size * (weights * torch.tensor([[1.0, 0.5, -0.5, 1.0, 2.0]])).sum())
        ends.append(weights.detach())
    torch.testing.assert_close(ends[0], ends[1])
    moved = (ends[0] - start)[0]
    assert moved[:4].square().mean().sqrt() == pytest.approx(0.1, rel=0.3)  # singular values are 0.7 to 1.2
    assert moved[4] == pytest.approx(-0.1, rel=1e-3)
