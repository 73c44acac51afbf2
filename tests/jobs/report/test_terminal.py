"""Plans, reports and progress on a terminal."""

import io

from rich.console import Console

from tests.jobs.report.cases import plan, report
from tinc_codec.jobs.report import terminal


def printed(show, *arguments):
    console = Console(file=io.StringIO(), width=200, markup=False)
    show(*arguments, console)
    return console.file.getvalue()


def test_a_plan_is_printed_as_it_is_whatever_its_names_hold():
    text = printed(
        terminal.plan, plan(hints=("chunks of [64]",), expected_bytes=500, seconds=90.0, sampled=3, threads=4)
    )
    for words in (
        "a.zarr -> b [1] <i>.zarr, psnr=45.0",
        "labels/[ä]",
        "20x10x10 uint16",
        "copied: a label image",
        "3 tasks on 2 workers of 4 cores; a worker needs 1.07 GB of memory",
        "4.32 kB in about 500 B",
        "about 1.5 min, judged by 3 chunks",
        "hint: chunks of [64]",
    ):
        assert words in text
    assert "about" not in printed(terminal.plan, plan())


def test_a_report_says_what_became_of_every_array_and_of_chunks_that_failed():
    text = printed(terminal.report, report())
    for words in (
        "b [1] <i>.zarr: 6 kB in 150 B (40.0x)",
        "2 chunks written and 1 found done in 4.0 s (1 kB/s of raw data)",
        "stored as 2 detail; a worker held at most 1 GB",
        "chunk 0/c/9/9/9 is lossless: RuntimeError: <no> [bold]",
        "no picture of x & y",
    ):
        assert words in text


def test_progress_is_a_function_a_bar_or_nothing(capsys):
    calls = []
    with terminal.following(lambda done, total: calls.append((done, total))) as following:
        following(1, 2, 4_000_000, 1000)
    assert calls == [(1, 2)]
    with terminal.following(False) as following:
        following(1, 2)
    assert capsys.readouterr().out == ""
    with terminal.following(True) as following:
        following(1, 2, 4_000_000, 1000)
    shown = capsys.readouterr().out
    assert "1/2" in shown
    assert "4 MB in 1 kB" in shown
    assert "B/s" in shown
