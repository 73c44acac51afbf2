"""Bytes and seconds for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.jobs.report import units


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_950, "1 MB"),
        (123_456_789, "123 MB"),
        (1.5e15, "1.5 PB"),
        (4.2e18, "4,200 PB"),
    ],
)
def test_sizes_are_in_powers_of_1000(number, text):
    assert units.size(number) == text


@given(st.integers(0, 10**19))
def test_sizes_have_three_digits_and_are_near(number):
    digits, unit = units.size(number).split()
    assert "e" not in digits
    value = float(digits.replace(",", "")) * 1000 ** ("B", "kB", "MB", "GB", "TB", "PB").index(unit)
    assert value == pytest.approx(number, rel=0.005)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.9, "59.9 s"), (60, "1.0 min"), (3599, "60.0 min"), (3600, "1.0 h"), (172_800, "2.0 days")],
)
def test_times(seconds, text):
    assert units.duration(seconds) == text
