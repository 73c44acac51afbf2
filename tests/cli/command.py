"""The command line, called within the process."""

from typer.testing import CliRunner

from tinc_codec.cli.main import app


def tinc(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
