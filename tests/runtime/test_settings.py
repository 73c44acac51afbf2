import pytest

from tinc_codec import process, set_process
from tinc_codec.errors import ConfigurationError


def test_process_settings_are_checked(monkeypatch):
    with pytest.raises(ConfigurationError, match="decoder='fortran'"):
        set_process(decoder="fortran")
    monkeypatch.setenv("TINC_DECODER", "numpy")
    monkeypatch.setenv("TINC_CACHE", "12")
    assert (process().decoder, process().cache) == ("numpy", 12)


@pytest.mark.parametrize(
    "settings", [{"threads": -1}, {"jobs": 1.5}, {"cache": "much"}, {"limit": -1}, {"work": 0}, {"linger": 3}]
)
def test_settings_that_make_no_sense_are_refused_and_change_nothing(settings):
    before = process()
    with pytest.raises((ConfigurationError, TypeError)):
        set_process(**settings)
    assert process() == before
