import pytest

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.patterns import Choice

PATHS = ("0", "labels/cells/0", "labels/nuclei/0", "tables/0")


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("labels/*", {"labels/cells/0", "labels/nuclei/0"}),
        ("/labels/cells/0/", {"labels/cells/0"}),
        ("*", set(PATHS)),
        ("?", {"0"}),
        ("Labels/*", set()),
    ],
)
def test_patterns_are_a_shell_s_and_stars_stand_for_folders_too(pattern, matched):
    choice = Choice.parse(pattern, ())
    assert {path for path in PATHS if choice.exact_by(path) == pattern} == matched


def test_an_array_by_itself_is_the_root():
    assert Choice.parse((), "/").lossy_by("") == "/"
    assert Choice.parse("*", ()).exact_by("") == "*"


def test_what_matches_nothing_or_both_is_refused():
    with pytest.raises(ConfigurationError, match=r"exact='maps/.' matches no array; the arrays are 0, labels"):
        Choice.parse("maps/*", ()).check(PATHS)
    with pytest.raises(ConfigurationError, match="array 'tables/0' is asked for both"):
        Choice.parse("tables/*", ("*/0",)).check(PATHS)
    Choice.parse("labels/*", "tables/*").check(PATHS)


@pytest.mark.parametrize("given", [7, ("",), ("a", None)])
def test_what_is_no_pattern_is_refused(given):
    with pytest.raises((ConfigurationError, TypeError)):
        Choice.parse(given, ())
