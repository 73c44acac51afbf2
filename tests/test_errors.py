"""Every error is one of the package's and one of Python's, so that both kinds of `except` take it."""

import pickle

import pytest

from tinc_codec import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.TincError)]
PYTHONS = (ValueError, TypeError, IndexError, MemoryError, ImportError, RuntimeError)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.TincError])
def test_each_kind_is_one_of_pythons_too_and_survives_a_process_border(kind):
    assert issubclass(kind, PYTHONS)
    assert kind.__doc__
    assert type(kind.__new__(kind, "what was given")) is kind  # as dask makes a worker's error again
    same = pickle.loads(pickle.dumps(kind("what was given")))
    assert (type(same), str(same)) == (kind, "what was given")


def test_what_went_wrong_around_a_job_stops_it():
    assert issubclass(errors.SourceError, errors.JobError)
    assert issubclass(errors.DestinationError, errors.JobError)
    assert issubclass(errors.NewerVersionError, errors.CorruptStreamError)
    assert issubclass(errors.LimitError, errors.CorruptStreamError)


def test_a_warning_is_no_error():
    assert issubclass(errors.PartialWriteWarning, UserWarning)
    assert not issubclass(errors.PartialWriteWarning, errors.TincError)
