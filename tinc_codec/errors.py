"""The kinds of error and of warning that this package raises."""

from __future__ import annotations


class TincError(Exception):
    """Base of every error raised on purpose by tinc_codec."""


class ConfigurationError(TincError, ValueError):
    """A setting is unknown, out of range, or contradicts another one."""


class UnsupportedDataError(TincError, TypeError):
    """The array's type or shape is one that the codec does not store."""


class SelectionError(TincError, IndexError):
    """What was asked for lies outside the chunk or the array, or has another number of axes."""


class CorruptStreamError(TincError, ValueError):
    """The bytes are truncated, altered, or not a TINC stream at all."""


class NewerVersionError(CorruptStreamError):
    """The stream was written by a newer format version than this decoder knows."""


class LimitError(CorruptStreamError):
    """A stream claims more than the process allows; the message names the setting that allows it."""


class OutOfMemoryError(MemoryError, TincError):  # in this order: else dask cannot make it again from a worker's
    """Memory ran out while a chunk was decoded; the process can go on."""


class MissingDependencyError(TincError, ImportError):
    """An optional package is needed for what was asked."""


class TrainingError(TincError, RuntimeError):
    """Training did not converge at any rate that was tried."""


class UnreachableGoalError(TincError, ValueError):
    """Coefficients cannot be as few bytes, or as near to the samples, as was asked; encoders do without them then."""


class TrainingCancelledError(TincError, RuntimeError):
    """Training was stopped before its end, and nothing was written."""


class JobError(TincError, RuntimeError):
    """A job over many chunks stopped before its end; its ledger has what is done, and a second run goes on."""


class SourceError(JobError):
    """A source changed or went away while a job was at work on it; nothing was published."""


class DestinationError(JobError):
    """A destination could not be written, read or listed; nothing was published."""


class PartialWriteWarning(UserWarning):
    """A part of a chunk is written over one that was stored with loss: it loses again, or takes more room."""


class RequestError(TincError, RuntimeError):
    """A server does not answer a request with data; `status` is HTTP's.

    Parameters
    ----------
    reason
        For people.
    status
        As HTTP numbers it.
    """

    def __init__(self, reason: str, status: int = 500) -> None:
        super().__init__(reason)
        self.status = status
