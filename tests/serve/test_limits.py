import pytest

from tinc_codec import set_process
from tinc_codec.errors import ConfigurationError
from tinc_codec.serve.limits import Limits

LARGEST = {"cache": 2**63, "chunk": 2**31 - 1, "requests": 2**20, "outgoing": 2**63}
SMALLEST = {"cache": 0, "chunk": 1, "requests": 1, "outgoing": 1}


def test_bounds_are_held_on_both_sides():
    assert (Limits(**SMALLEST).cache, Limits(**LARGEST).outgoing) == (0, 2**63)


@pytest.mark.parametrize("name", LARGEST)
def test_what_is_beyond_them_is_refused_by_name(name):
    for wrong in (SMALLEST[name] - 1, LARGEST[name] + 1, 1.5, True, "1"):
        with pytest.raises(ConfigurationError, match=f"{name}="):
            Limits(**{name: wrong})


def test_so_many_are_decoded_at_a_time_as_the_process_has_threads():
    set_process(threads=3)
    assert Limits().decoding == 3
    set_process()
    assert Limits().decoding >= 1
