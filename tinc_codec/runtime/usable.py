"""What the system, a store or a file says no to, as one of the package's errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tinc_codec.errors import ConfigurationError, MissingDependencyError, TincError


@contextmanager
def usable(what: str) -> Iterator[None]:
    """Name what was given where it cannot be opened, read or written.

    Parameters
    ----------
    what
        What was given, as in ``"source 'a.zarr'"``.

    Raises
    ------
    ConfigurationError
        It is not there, not permitted, not reached, or its metadata are damaged.
    MissingDependencyError
        A package that its kind of place needs is not installed.
    """
    try:
        yield
    except TincError:
        raise
    except ImportError as error:
        raise MissingDependencyError(f"{what} needs a package that is not installed: {error}") from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{what} has metadata that are not JSON ({error}): restore them from a copy"
        ) from error
    except FileNotFoundError as error:
        raise ConfigurationError(f"{what} is not there ({_reason(error)}): see that the path is right") from error
    except PermissionError as error:
        raise ConfigurationError(f"{what} is not permitted ({_reason(error)}): see who may use it") from error
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be used ({_reason(error)}): see that the place is right") from error
    except ValueError as error:
        if not str(error).startswith("Protocol not known"):
            raise
        known = "give a path, or a URL that fsspec knows, as in s3:// or https://"
        raise ConfigurationError(f"{what} has a protocol that is not known ({error}): {known}") from error


def _reason(error: OSError) -> str:
    if error.strerror and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    return error.strerror or str(error) or type(error).__name__
