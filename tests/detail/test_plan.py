from tinc_codec.detail.plan import Group, Plan, shared


def test_the_bands_of_an_odd_axis():
    plan = Plan((1, 1, 1, 7), (Group((0, 1, 2), 0), Group((3,), 2)), 16)
    assert [band.shape[3] for band in plan.bands] == [2, 2, 3]
    assert [plan.splits(band, 3) for band in plan.bands] == [2, 0, -1]


def test_plans_that_are_equal_are_shared():
    one, other = (Plan((1, 1, 8, 9), (Group((0, 1), 0), Group((2, 3), 2)), 16) for _ in range(2))
    assert one is not other
    assert shared(one) is shared(other)
