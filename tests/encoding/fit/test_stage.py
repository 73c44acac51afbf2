"""Windows of several chunks: that they are what the leaves hold there, and cost what they cost alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tinc_codec.backends.choice import backend  # noqa: E402
from tinc_codec.detail.decoding import Detail  # noqa: E402
from tinc_codec.detail.goals import Step, encode  # noqa: E402
from tinc_codec.encoding.fit.stage import Stage  # noqa: E402
from tinc_codec.encoding.fit.windows import Windows  # noqa: E402
from tinc_codec.tree.partition import partition  # noqa: E402
from tinc_codec.tree.structure import Level, Tree  # noqa: E402

CPU = torch.device("cpu")


def stages(volumes, limit, levels=1):
    """Windows of chunks that are coded with steps of 10, 20, ..., and what makes a stage of some of them."""
    shape = volumes[0].shape
    widths = tuple(Level(1, (3,), np.ones(8**number, np.uint8)) for number in range(levels))
    windows = [Windows.of(Tree(partition(shape, levels), widths), volume, limit) for volume in volumes]
    work = backend().detail
    first = Detail.parse(encode(volumes[0], Step(10.0), work), shape, work).parameters
    sections = [encode(each, Step(10.0 * (n + 1)), work, plan=first.plan) for n, each in enumerate(volumes)]
    scales = [Detail.parse(section, shape, work).parameters.scale for section in sections]
    return windows, lambda chosen: Stage.of(windows[chosen], first.plan, scales[chosen], CPU)


def places(stage, seeds):
    return torch.tensor([stage.place(torch.Generator().manual_seed(seed)) for seed in seeds])


def test_a_window_is_cut_with_the_coordinates_of_its_samples():
    volume = np.arange(20.0)[:, None] * 100 + np.arange(30.0)
    (given, _), of = stages([volume, volume[::-1].copy()], 64)
    drawn = of(slice(None))
    found = places(drawn, (3, 4))
    coordinates, samples = drawn.cut(found)
    assert coordinates.shape == (2, 2, samples[0].numel())
    values = samples[0].flatten().double().numpy() * given.gain + given.mean
    rows, columns = np.divmod(np.rint(values), 100)
    for along, index in zip(coordinates[0].numpy(), (rows, columns), strict=True):
        slope, _ = np.polyfit(index, along, 1)
        assert slope > 0
        assert np.corrcoef(index, along)[0, 1] > 0.9999
    assert int(rows[0]) * 30 + int(columns[0]) == found[0]


def test_every_place_is_drawn_and_lies_inside():
    drawn = stages([np.random.default_rng(0).normal(size=(12, 13))], 70)[1](slice(None))
    generator = torch.Generator().manual_seed(0)
    found = {drawn.place(generator) for _ in range(2000)}
    assert len(found) == np.prod(drawn.places)
    assert max(found) + int(drawn.cells[-1]) == 12 * 13 - 1


@pytest.mark.parametrize(("shape", "limit"), [((32, 32), 256), ((12, 13), 70), ((9, 9), 500), ((40,), 16)])
def test_tiles_hold_the_whole_leaf_or_as_many_as_are_asked_for(shape, limit):
    drawn = stages([np.random.default_rng(0).normal(size=shape)], limit)[1](slice(None))
    tiles = drawn.tiles(torch.Generator().manual_seed(0), 10**6)
    held = {place + cell for place in tiles for cell in drawn.cells.tolist()}
    assert held == set(range(np.prod(shape)))
    assert len(tiles) < 2 * drawn.share + 1
    few = drawn.tiles(torch.Generator().manual_seed(0), 2)
    assert len(few) == len(set(few)) == min(2, len(tiles))
    assert set(few) <= set(tiles)


def test_windows_hold_a_corner_a_quarter_as_often_as_the_centre_not_hardly_ever():
    drawn = stages([np.random.default_rng(0).normal(size=(32, 32))], 16**2)[1](slice(None))
    generator, counts = torch.Generator().manual_seed(0), np.zeros(32 * 32)
    for _ in range(2000):
        counts[drawn.place(generator) + drawn.cells.numpy()] += 1
    counts = counts.reshape(32, 32)
    assert 0.1 < counts[0, 0] / counts[16, 16] < 1
    assert 0.3 < counts[0, 16] / counts[16, 16] < 1


@pytest.mark.parametrize("levels", [1, 2])
def test_windows_cost_what_they_cost_alone(levels):
    rng = np.random.default_rng(0)
    volumes = [rng.normal(0, 60, (16, 16, 16)).cumsum(0) for _ in range(3)]
    _, of = stages(volumes, 2**9, levels)
    together = of(slice(None))
    found = places(together, (1, 2, 3))
    bits = together.bits(together.cut(found)[1])
    assert bits.shape == (3,)
    assert (bits > 0).all()
    for number in range(3):
        one = slice(number, number + 1)
        alone = of(one)
        assert float(alone.bits(alone.cut(found[one])[1])) == pytest.approx(float(bits[number]), rel=1e-5)
