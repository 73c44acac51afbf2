import pytest

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.rules import ON_ERROR, Rules


@pytest.mark.parametrize("retries", [-1, True, 1.5, "2"])
def test_retries_are_a_whole_number_from_0(retries):
    with pytest.raises(ConfigurationError, match="retries="):
        Rules(retries=retries)
    assert Rules(retries=0).retries == 0


def test_what_becomes_of_a_chunk_is_one_of_three():
    assert [Rules(on_error=each).on_error for each in ON_ERROR] == list(ON_ERROR)
    with pytest.raises(ConfigurationError, match="known are lossless, skip, raise"):
        Rules(on_error="ignore")
