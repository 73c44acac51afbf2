"""Two names in a file system trade places in one step: whoever opens one of them always finds something whole.

Python has no call for it: Linux has ``renameat2`` with ``RENAME_EXCHANGE`` (3.15 and later; ext4, XFS, Btrfs, tmpfs),
and macOS ``renamex_np`` with ``RENAME_SWAP`` (10.12 and later; APFS).
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2


def exchange(first: Path, second: Path) -> None:
    """Let two existing paths of one file system trade places.

    Raises
    ------
    OSError
        The system or the file system cannot, or a path does not exist.
    """
    a, b = os.fsencode(first), os.fsencode(second)
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(a, b, _RENAME_SWAP)
    elif sys.platform.startswith("linux") and hasattr(libc, "renameat2"):
        failed = libc.renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _RENAME_EXCHANGE)
    else:
        raise OSError(errno.ENOSYS, "this system cannot exchange two directories", str(first))
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(first), None, str(second))


def can_exchange(folder: Path) -> str | None:
    """Try it on two empty directories of `folder`; None where it works, else the reason why not."""
    probe = folder / "probe"  # always the same, so that one that was left by a process that ended is found
    first, second = probe / "a", probe / "b"
    try:
        shutil.rmtree(probe, ignore_errors=True)
        (first / "in-a").mkdir(parents=True)
        second.mkdir()
        exchange(first, second)
        return None if (second / "in-a").exists() else "the exchange of two directories had no effect"
    except OSError as error:
        return error.strerror or str(error)
    finally:
        shutil.rmtree(probe, ignore_errors=True)
