import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.serve.ranges import Conditions, Unsatisfiable, parse_range, parse_tags


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("", None),
        ("bytes=0-3", slice(0, 4)),
        ("bytes=4-", slice(4, 10)),
        ("bytes=-3", slice(7, 10)),
        ("bytes=-30", slice(0, 10)),
        ("bytes=8-99", slice(8, 10)),
        ("bytes = 1 - 2", slice(1, 3)),
        ("bytes=10-", Unsatisfiable()),
        ("bytes=10-12", Unsatisfiable()),
        ("bytes=-0", Unsatisfiable()),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("items=0-1", None),
        ("bytes=0-" + "9" * 30, None),
    ],
)
def test_ranges(header, part):
    assert parse_range(header, 10) == part


def test_nothing_has_no_ranges():
    assert parse_range("bytes=0-", 0) == parse_range("bytes=-1", 0) == Unsatisfiable()


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_is_what_a_slice_is(size, start, length):
    data = bytes(range(size))
    part = parse_range(f"bytes={start}-{start + length}", size)
    assert part == Unsatisfiable() if start >= size else data[part] == data[start : start + length + 1]


def test_tags():
    assert parse_tags(None) == frozenset()
    assert parse_tags('"a", W/"b" ,"c"') == {'"a"', '"b"', '"c"'}
    assert Conditions(parse_tags("*")).has('"x"')
    assert not Conditions(parse_tags('"a"')).has('"x"')


def test_a_range_of_something_else_is_all_of_it():
    assert Conditions(byte_range="bytes=0-1", if_range='"a"').part('"a"', 9) == slice(0, 2)
    assert Conditions(byte_range="bytes=0-1", if_range='"a"').part('"b"', 9) is None
