"""How the command line ends: one line for what the user can mend, a traceback for what the package got wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from tinc_codec.errors import JobError, TincError, TrainingCancelledError, TrainingError

STOPPED, MISTAKEN, INTERRUPTED = 1, 2, 130
"""Exit status of a job that stopped, of a mistake in what was asked for, and of Ctrl-C."""

_UsageError: Any = typer.BadParameter.__bases__[0]  # typer's own, or click's, by its version

_FAULT = "This is a fault of tinc_codec, not of what was asked for: please report it with the lines above."


class Commands(TyperGroup):
    """The commands; whatever one of them raises is told here, and nowhere else."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except TincError as error:
            _print(error)
            stopped = isinstance(error, JobError | TrainingError | TrainingCancelledError)
            raise typer.Exit(STOPPED if stopped else MISTAKEN) from error
        except _UsageError as error:
            where = error.ctx.command_path if error.ctx is not None else ctx.command_path
            _print(f"{error.format_message()} ({where} --help says what there is)")
            raise typer.Exit(MISTAKEN) from error
        except Exception as error:
            if not isinstance(error, typer.Exit | typer.Abort) and "click" not in type(error).__module__:
                error.add_note(_FAULT)
            raise


def _print(error: object) -> None:
    text = " ".join(str(error).split())
    Console(stderr=True).print(f"[bold red]error[/]: {_escaped(text)}", highlight=False, soft_wrap=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """Say what to do after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print(advice, highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(INTERRUPTED) from None
