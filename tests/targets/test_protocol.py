from tinc_codec.targets import Bound


def test_bounds_of_both_kinds_say_what_is_wrong():
    assert Bound(max_error=2).complaint(2, 9) is None
    assert Bound(max_error=2).complaint(3, 1) == "has an error of 3, above 2"
    assert Bound(rmse=2, asked="40 dB").complaint(9, 3) == "has a root mean square error of 3, above the 2 of 40 dB"
    assert not Bound(rmse=2).holds(0, 3)
