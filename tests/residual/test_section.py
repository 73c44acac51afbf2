"""The parameters of a residual come back, and those that make no sense are refused."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinc_codec.errors import CorruptStreamError
from tinc_codec.residual.integer_domain import IntegerDomain, Kind
from tinc_codec.residual.interlace import passes
from tinc_codec.residual.prediction import LARGEST_WEIGHT, PLAIN, SPREADS, PassModel
from tinc_codec.residual.section import LARGEST_OFFSET, ResidualParameters, pack, unpack
from tinc_codec.stream.fields import FieldReader

DOMAIN = IntegerDomain(Kind.INTEGER, np.dtype("u1"), 0, 1, 100)
GOOD = ResidualParameters(DOMAIN, 0, (1, 1), (1, 1), (PLAIN[0], *(PLAIN[1],) * 3), np.array([5, 6]), (b"\1",) * 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tiles": (0, 1)}, "tiles over a chunk"),
        ({"widths": (1, 0)}, "step of 0"),
        ({"domain": IntegerDomain(Kind.INTEGER, np.dtype("u1"), 200, 1, 100)}, "goes beyond uint8"),
        ({"domain": IntegerDomain(Kind.FLOAT, np.dtype("u1"), 0.0, 1.0, 100)}, "domain of kind"),
        ({"thresholds": np.array([5, 5])}, "do not ascend"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(change, message):
    code = [b"\0" * 8]
    unpack(FieldReader(pack(GOOD, code), "good"), (5, 5), DOMAIN.dtype)
    bad = pack(dataclasses.replace(GOOD, **change), code)
    with pytest.raises(CorruptStreamError, match=message):
        unpack(FieldReader(bad, "bad"), (5, 5), DOMAIN.dtype)


@pytest.mark.parametrize(
    ("origin", "quantum", "message"),
    [(np.nan, 1.0, "a domain from nan"), (0.0, -1.0, "in steps of -1"), (0.0, np.inf, "in steps of inf")],
)
def test_domains_of_floats_have_numbers(origin, quantum, message):
    domain = IntegerDomain(Kind.FLOAT, np.dtype("f4"), origin, quantum, 9)
    with pytest.raises(CorruptStreamError, match=message):
        unpack(FieldReader(pack(dataclasses.replace(GOOD, domain=domain), [b""]), "bad"), (5, 5), np.dtype("f4"))


@st.composite
def parameters(draw):
    axes, levels = draw(st.integers(1, 2)), draw(st.integers(0, 1))
    numbers = st.integers(-LARGEST_WEIGHT, LARGEST_WEIGHT)
    offsets = st.integers(-LARGEST_OFFSET, LARGEST_OFFSET)
    models = []
    for step in passes(axes, levels):
        count = draw(st.integers(0, min(4, len(step.pairs))))
        if count <= 1:
            models.append(PLAIN[count])
            continue
        weights, spread = (tuple(draw(numbers) for _ in range(n)) for n in (count, SPREADS))
        models.append(PassModel(weights, draw(offsets), spread, draw(offsets)))
    thresholds = np.array(sorted(draw(st.sets(st.integers(0, 2**53), max_size=4))), np.int64)
    tables = tuple(draw(st.binary(min_size=1, max_size=4)) for _ in range(len(thresholds) + 1))
    widths = tuple(draw(st.integers(1, 99)) for _ in range(levels + 1))
    return ResidualParameters(DOMAIN, draw(st.integers(0, 100)), (1,) * axes, widths, tuple(models), thresholds, tables)


@settings(max_examples=30)
@given(written=parameters(), code=st.binary(max_size=5).map(lambda data: data * 4))
def test_whatever_is_written_is_read(written, code):
    shape = (9,) * len(written.tiles)
    read, codes = unpack(FieldReader(pack(written, [code]), "a residual"), shape, DOMAIN.dtype)
    assert codes == [code]
    for name in ("domain", "start", "tiles", "widths", "tables"):
        assert getattr(read, name) == getattr(written, name), name
    assert [vars(model) for model in read.models] == [vars(model) for model in written.models]
    assert read.thresholds.tolist() == written.thresholds.tolist()
    assert (read.levels, read.nbytes) == (written.levels, written.nbytes)
