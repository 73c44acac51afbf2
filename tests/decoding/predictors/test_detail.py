"""Coefficients as samples: clipped to their range, and with what lies above added."""

import numpy as np
import pytest

from tests.models import random_detail
from tinc_codec import CorruptStreamError
from tinc_codec.decoding.predictors.detail import DetailPredictor, pack_range
from tinc_codec.detail import reference
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Step, encode
from tinc_codec.stream.container import Container, Section, unpack

SHAPE = (8, 20, 40)


@pytest.fixture(scope="module")
def detail():
    volume = 100 * np.sin(np.indices(SHAPE).sum(0) / 5)
    return Detail.parse(encode(volume, Step(1.0), reference), SHAPE, reference)


class Constant:
    """A predictor above that gives one value everywhere."""

    nbytes = 8

    def whole(self):
        return np.full(SHAPE, 30, np.int16)

    def at_product(self, positions):
        return np.full([len(along) for along in positions], 30, np.int16)

    def at_points(self, positions):
        return np.full(positions.shape[1], 30, np.int16)


def test_what_lies_above_is_added_and_samples_stay_within_the_range(detail):
    alone = DetailPredictor(detail, np.int16(-300), np.int16(300))
    on_top = DetailPredictor(detail, np.int16(-300), np.int16(300), Constant())
    assert np.abs(on_top.whole().astype(int) - alone.whole() - 30).max() <= 1
    assert on_top.nbytes == alone.nbytes + 8
    narrow = DetailPredictor(detail, np.int16(-20), np.int16(50), Constant())
    assert (narrow.whole() == np.clip(on_top.whole(), -20, 50)).all()
    picked = [np.array([7, 0]), np.array([3, 19, 3]), np.array([39])]
    assert (narrow.at_product(picked) == narrow.whole()[np.ix_(*picked)]).all()


def test_indices_far_apart_leave_what_lies_between_them_coded(detail):
    boxes = []

    class Watched:
        shape, parameters = detail.shape, detail.parameters

        def __getattr__(self, name):
            return getattr(detail, name)

        def box(self, box, *level):
            boxes.append(box)
            return detail.box(box, *level)

    predictor = DetailPredictor(Watched(), np.float32(-300), np.float32(300))
    predictor.at_product([np.array([0]), np.array([0, 1]), np.array([0, 39, 1])])
    assert boxes == [((0, 1), (0, 2), (0, 2)), ((0, 1), (0, 2), (39, 40))]


def test_between_voxels_samples_are_interpolated(detail):
    predictor = DetailPredictor(detail, np.float64(-300), np.float64(300))
    whole = predictor.whole()
    middle = predictor.at_points(np.array([[0.5], [3.0], [7.0]]))
    assert middle == pytest.approx((whole[0, 3, 7] + whole[1, 3, 7]) / 2)


@pytest.mark.parametrize(("low", "high"), [(5, 4), (np.nan, 1.0), (0.0, np.nan)])
def test_ranges_that_make_no_sense_are_refused(low, high):
    container = unpack(random_detail(np.random.default_rng(0), (12, 13), "f4", "C"))
    section = container.sections[Section.DETAIL]
    changed = pack_range(np.float32(low), np.float32(high)) + section[8:]
    with pytest.raises(CorruptStreamError, match="samples from"):
        DetailPredictor.parse(Container(container.header, {Section.DETAIL: changed}), (12, 13))
