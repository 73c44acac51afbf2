import json

import pytest

from tinc_codec.errors import ConfigurationError, CorruptStreamError, MissingDependencyError
from tinc_codec.runtime.usable import usable


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (FileNotFoundError(2, "No such file", "a.zarr"), ConfigurationError, "is not there .No such file: a.zarr."),
        (PermissionError(13, "Permission denied"), ConfigurationError, "is not permitted .Permission denied."),
        (OSError("the net is down"), ConfigurationError, "cannot be used .the net is down."),
        (ImportError("s3fs"), MissingDependencyError, "needs a package that is not installed: s3fs"),
        (ValueError("Protocol not known: xy"), ConfigurationError, "protocol that is not known"),
        (CorruptStreamError("its own"), CorruptStreamError, "^its own"),
    ],
)
def test_errors_name_what_was_given(error, kind, words):
    with pytest.raises(kind, match=words), usable("source 'b.zarr'"):
        raise error
    if not isinstance(error, CorruptStreamError):
        with pytest.raises(kind, match=r"^source 'b\.zarr'"), usable("source 'b.zarr'"):
            raise error


def test_damaged_metadata_are_said_to_be_that():
    with pytest.raises(ConfigurationError, match="metadata that are not JSON"), usable("path 'x'"):
        json.loads("{")


def test_other_errors_are_left_alone():
    with pytest.raises(ValueError, match=r"^mine"), usable("path 'x'"):
        raise ValueError("mine")
