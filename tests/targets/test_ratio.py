from tinc_codec.targets import Bound, Ratio


def test_a_ratio_is_a_budget_and_bounds_nothing():
    target = Ratio(64)
    assert target.budget(1000) == 15
    assert target.bound(0, 9) == Bound()
    assert target.bound(0, 9).holds(1e9, 1e9)
    assert target.largest_error is None
    assert not target.lossless
    assert not target.own_range
