import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tinc_codec.backends import reference  # noqa: E402
from tinc_codec.detail import lifting, packet  # noqa: E402
from tinc_codec.detail.encoding import Samples, transform  # noqa: E402
from tinc_codec.detail.plan import AXES  # noqa: E402
from tinc_codec.detail.plans import candidates  # noqa: E402
from tinc_codec.encoding.fit.packet import Packet, of_window  # noqa: E402

work = reference.detail


def in_steps(packet, windows):
    return [band * inverse for band, inverse in zip(packet.bands(windows), packet.inverses, strict=True)]


def coefficients(plan, samples, volume, step):
    """Of the float transform, in the integers' units."""
    scale = transform(samples, plan, work).scaled(step)
    windows = torch.as_tensor(volume - scale.origin, dtype=torch.float32)[None, None]
    bands = in_steps(Packet.of(plan, scale, plan.shape, 1.0), windows)
    kept = [band for band in plan.bands if all(band.shape)]
    splits = [sum(plan.splits(band, axis) for axis in range(AXES)) for band in kept]
    steps = [scale.band_step(count) / 256 for count in splits]
    return [band[0, 0].numpy() * step for band, step in zip(bands, steps, strict=True)]


@settings(max_examples=15)
@given(st.tuples(st.just(1), st.integers(1, 9), st.integers(1, 20), st.integers(1, 20)), st.integers(0, 99), st.data())
def test_it_is_the_transform_that_the_decoder_inverts_but_for_rounding(shape, seed, data):
    volume = np.random.default_rng(seed).normal(0, 50, shape).cumsum(-1) + 7.0
    plan = data.draw(st.sampled_from(candidates(shape)))
    if of_window(plan, shape) != plan:  # it ends where the volume's does
        plan = of_window(plan, shape)
    samples = Samples.of(volume.copy())
    found = coefficients(plan, samples, volume, 4096.0)
    whole = {(band.levels, band.high): np.zeros(band.shape, np.int32) for band in plan.bands}
    for band, values in zip([band for band in plan.bands if all(band.shape)], found, strict=True):
        whole[band.levels, band.high] = np.rint(values).astype(np.int32)
    stop = (0,) * len(plan.groups)
    box = tuple((0, n) for n in shape)
    reached = packet.ranges(plan, box, stop)
    back = packet.inverse(plan, lambda band: whole[band.levels, band.high], reached, stop, lifting.inverse)
    unit = 2.0**samples.scale.exponent
    rounding = 64 * unit * max(1, sum(plan.level))
    float32 = 1e-5 * (np.abs(volume).max() + 1)
    assert np.abs(back * unit + samples.scale.origin - volume).max() <= rounding + float32


def test_its_values_are_in_steps_of_the_encoder():
    volume = np.random.default_rng(0).normal(0, 9, (1, 12, 16, 16))
    samples = Samples.of(volume.copy())
    plan = of_window(candidates(volume.shape)[2], volume.shape)
    known = transform(samples, plan, work)
    scale = known.scaled(3000.0)
    windows = torch.as_tensor((volume - scale.origin) / 5, dtype=torch.float32)[None, None]
    found = in_steps(Packet.of(plan, scale, plan.shape, 5.0), windows)
    steps = known.steps(3000.0)
    kept = [number for number, band in enumerate(plan.bands) if all(band.shape)]
    for number, band in zip(kept, found, strict=True):
        expected = known.layout.view(known.values, number) / steps[number]
        assert np.abs(band[0, 0].numpy() - expected).max() < 1e-3 * np.abs(expected).max() + 1e-4


def test_means_over_cells_have_the_coefficients_of_the_low_band():
    """On a smooth volume the low band is its means over cells, times the gain of the splits."""
    at = np.indices((1, 32, 32, 32)).sum(0)
    volume = 100 * np.sin(at / 40.0)
    samples = Samples.of(volume.copy())
    plan = candidates(volume.shape)[0]
    known = transform(samples, plan, work)
    scale = known.scaled(50000.0)
    cells = volume.reshape(1, 16, 2, 16, 2, 16, 2).mean((2, 4, 6)) - scale.origin
    windows = torch.as_tensor(cells, dtype=torch.float32)[None, None]
    found = in_steps(Packet.of(plan, scale, (1, 16, 16, 16), 1.0, (0, 1, 1, 1)), windows)
    lowest, steps = known.layout.view(known.values, 0), known.steps(50000.0)
    assert found[0].shape[2:] == lowest.shape
    expected = lowest / steps[0]
    assert np.abs(found[0][0, 0].numpy() - expected).max() < 0.1 * np.abs(expected).max()
