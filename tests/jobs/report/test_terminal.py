"""Plans, reports and progress on a terminal."""

import io
from dataclasses import replace

from rich.console import Console

from tests.jobs.report.cases import plan, record, report
from tinc_codec.jobs.report import terminal
from tinc_codec.jobs.report.tiff_report import TiffReport
from tinc_codec.jobs.source_tree import ALREADY


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


def test_what_the_memory_of_devices_did_not_hold_is_printed():
    assert "GPUs" not in printed(terminal.report, report())
    text = printed(terminal.report, report(records=(record(short={"on_cpu": 1}),)))
    assert "1 chunk was worked on by the CPU; fewer workers" in text


def test_an_export_says_what_was_done_to_each_array_and_not_what_was_lost():
    modes = ("recode", ALREADY), ("copy", "a label image")
    arrays = tuple(
        replace(array, mode=mode, copied=why) for array, (mode, why) in zip(plan().arrays, modes, strict=True)
    )
    text = printed(terminal.report, report(plan(arrays=arrays, target="plain Zarr")))
    for words in ("b [1] <i>.zarr: 6 kB in 150 B (40.0x)", "decoded", "copied: a label image", "2 chunks written"):
        assert words in text
    for words in ("PSNR", "max error", "already compressed"):
        assert words not in text
    text = printed(terminal.plan, plan(arrays=arrays, target="plain Zarr"))
    assert "-> b [1] <i>.zarr, plain Zarr" in text
    assert "decoded" in text


def test_an_export_to_a_tiff_is_one_line():
    file = TiffReport("a.zarr", "b [1].tif", (3, 40, 50), "uint16", "ZYX", 12_000, 5_000, 0.5)
    line = "a.zarr -> b [1].tif: ZYX 3x40x50 uint16, 12 kB in 5 kB, decoded and written in 0.5 s (24 kB/s of raw data)"
    assert printed(terminal.tiff, file) == line + "\n"


def test_progress_is_a_function_a_bar_or_nothing(capsys):
    calls = []
    with terminal.following(lambda done, total: calls.append((done, total))) as following:
        following(1, 2, 4_000_000, 1000)
    assert calls == [(1, 2)]
    with terminal.following(False) as following:
        following(1, 2)
    assert capsys.readouterr().out == ""
    with terminal.following(True, unit="planes") as following:
        following(1, 2, 4_000_000, 1000)
    shown = capsys.readouterr().out
    assert "planes" in shown
    assert "1/2" in shown
    assert "4 MB in 1 kB" in shown
    assert "B/s" in shown
