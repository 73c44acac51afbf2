"""The parameters of a residual."""

import dataclasses

import numpy as np
import pytest

from tinc_codec.errors import CorruptStreamError
from tinc_codec.residual.integer_domain import IntegerDomain, Kind


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tiles": (0, 1)}, "tiles over a chunk"),
        ({"widths": (1, 0)}, "step of 0"),
        ({"domain": IntegerDomain(Kind.INTEGER, np.dtype("u1"), 200, 1, 100)}, "goes beyond uint8"),
        ({"thresholds": np.array([5, 5])}, "do not ascend"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(change, message):
    from tinc_codec.residual import section
    from tinc_codec.residual.prediction import PLAIN
    from tinc_codec.stream.fields import FieldReader

    domain = IntegerDomain(Kind.INTEGER, np.dtype("u1"), 0, 1, 100)
    models = (PLAIN[0], *(PLAIN[1],) * 3)
    good = section.ResidualParameters(domain, 0, (1, 1), (1, 1), models, np.array([5, 6]), (b"\1",) * 3)
    code = [b"\0" * 8]
    section.unpack(FieldReader(section.pack(good, code), "good"), (5, 5), domain.dtype)
    bad = section.pack(dataclasses.replace(good, **change), code)
    with pytest.raises(CorruptStreamError, match=message):
        section.unpack(FieldReader(bad, "bad"), (5, 5), domain.dtype)
