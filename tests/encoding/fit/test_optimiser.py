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
