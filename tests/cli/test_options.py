import pytest

from tinc_codec.cli.options import bound
from tinc_codec.errors import ConfigurationError


def test_a_largest_error_is_a_number():
    assert bound("12.5") == 12.5
    with pytest.raises(ConfigurationError, match="2sigma"):
        bound("2sigma")
