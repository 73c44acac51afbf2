"""``python -m tinc_codec.cli``."""

from tinc_codec.cli.main import app

app()
