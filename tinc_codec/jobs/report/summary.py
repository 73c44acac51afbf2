"""A job's report: its figures, which can be saved as JSON or as a page."""

from __future__ import annotations

import json
from pathlib import Path

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.report.figures import Figures
from tinc_codec.jobs.report.html import page
from tinc_codec.jobs.staging import why_unwritable


class Report(Figures):
    """What a job did, see `tinc_codec.jobs.report.figures.Figures`."""

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, every chunk in it, or as a page of HTML, by the ending of the file's name.

        Raises
        ------
        ConfigurationError
            The name ends otherwise, or nothing can be written there.
        """
        path = Path(path)
        check_place(path)
        text = json.dumps(self.as_json(), indent=1) + "\n" if path.suffix == ".json" else page(self)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"report {path} cannot be written: {error}; the job itself is done") from error


def check_place(path: Path) -> None:
    """Raise `ConfigurationError` unless a report can be written to a file of this name."""
    if path.suffix not in (".html", ".json"):
        raise ConfigurationError(f"report {path} must end with .html or .json")
    if path.is_dir() or not path.absolute().parent.is_dir():
        wrong = "is a directory" if path.is_dir() else f"is in {path.parent}, which is no directory"
        raise ConfigurationError(f"report {path} {wrong}: give another name")
    reason = why_unwritable(path.absolute().parent)
    if reason is not None:
        raise ConfigurationError(f"report {path} cannot be written: {reason}; give another name")
