from tinc_codec.targets import Bound, MaxError


def test_a_largest_error_is_a_bound_and_0_is_lossless():
    assert MaxError(3).bound(0, 9) == Bound(max_error=3)
    assert MaxError(3).budget(1000) is None
    assert MaxError(3).largest_error == 3
    assert not MaxError(3).lossless
    assert MaxError(0).lossless
