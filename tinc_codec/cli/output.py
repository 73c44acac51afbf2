"""Where the command line writes: JSON to stdout alone, progress to stderr, files with errors that say what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tinc_codec.errors import ConfigurationError
from tinc_codec.runtime.documents import finite
from tinc_codec.runtime.usable import usable

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead; progress goes to stderr.")]
"""The option of every command that reports something."""

_WIDTH = 160
"""Columns where there is no terminal to say."""


def print_json(document: Any) -> None:
    """Print one JSON document, and nothing else, on stdout; null stands for what is no finite number."""
    typer.echo(json.dumps(finite(document), indent=1, allow_nan=False))


def wide_console() -> Console:
    """A console for tables, which nothing narrows where it is not a terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """What is being done, on stderr: one line that changes on a terminal, else a line each."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield lambda text: console.print(text, highlight=False, soft_wrap=True, markup=False)
        return
    with console.status("") as status:
        yield lambda text: status.update(text.replace("[", r"\["))


def check_file(name: str, path: Path | None) -> None:
    """Raise `ConfigurationError` where a file cannot be written, before any work is done for it."""
    if path is None:
        return
    if path.is_dir():
        raise ConfigurationError(f"{name} {str(path)!r} is a directory: give the name of a file")
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"{name} {str(path)!r}: there is no such folder; make it first")


def write(name: str, path: Path, text: str) -> None:
    """Write a file that was asked for."""
    with usable(f"{name} {str(path)!r}"):
        path.write_text(text, encoding="utf-8")


def numbers(name: str, text: str | None, whole: bool = False) -> tuple[float, ...]:
    """Numbers with commas between them, as in ``16,32``; none where nothing is given."""
    if text is None:
        return ()
    kind = int if whole else float
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise ConfigurationError(
            f"{name}={text!r} must be {'whole ' if whole else ''}numbers with commas between them, as in 1,3"
        ) from None
