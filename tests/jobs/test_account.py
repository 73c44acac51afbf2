from dataclasses import replace

import pytest

from tinc_codec import JobError
from tinc_codec.jobs.account import Written, account
from tinc_codec.jobs.inventory import Inventory
from tinc_codec.jobs.ledger import EMPTY, Record
from tinc_codec.jobs.nodes import Node


def record(path, key, digest="d"):
    return Record(path, key, (0,), "f", digest, 1, 1, 1, 0.0, 0.0, None, None, {}, 0.0, 0, True)


NODES = {
    "": Node("", "group", 2, {"zarr_format": 2}, {"a": 1}, (".zgroup", ".zattrs")),
    "image": Node("image", "array", 2, {"shape": [2]}, {}, (".zarray",)),
    "label": Node("label", "array", 3, {"shape": [2]}, {"b": 2}, ("zarr.json",)),
}
CHUNKS = {"image": frozenset({"0", "1"}), "label": frozenset({"c/0"})}
SOURCE = Inventory(NODES, CHUNKS, {}, ("notes.txt",))
WRITTEN = {
    "image": Written(False, 2, (record("image", "0"), record("image", "1", EMPTY))),
    "label": Written(True, 2, (record("label", "c/0"), record("label", "c/1", EMPTY))),
}
THERE = frozenset({".zgroup", ".zattrs", "image/.zarray", "label/zarr.json", "notes.txt"})


def balance(now=SOURCE, there=THERE, **written):
    return account(SOURCE, now, {**WRITTEN, **written}, frozenset({"notes.txt"}), there)


def test_everything_is_accounted_for():
    balanced = balance()
    balanced.check("x")
    assert (balanced.metadata, balanced.converted, balanced.copied, balanced.others) == (4, 2, 1, 1)
    assert "4 metadata files kept, 2 chunks converted, 1 chunks and 1 other files copied" in balanced.text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"there": THERE - {"notes.txt"}}, "notes.txt is not in the destination"),
        ({"there": THERE - {"image/.zarray"}}, "image has no metadata"),
        ({"there": THERE - {".zattrs"}}, "/ has no attributes"),
        ({"now": replace(SOURCE, foreign=("notes.txt", "more.txt"))}, "more.txt appeared"),
        ({"now": replace(SOURCE, chunks={**CHUNKS, "image": frozenset("0")})}, "chunk image/1 went away"),
        ({"now": replace(SOURCE, chunks={**CHUNKS, "image": frozenset("012")})}, "chunk image/2 appeared"),
        ({"now": replace(SOURCE, outside={"image": frozenset("7")})}, "image/7 is outside"),
        ({"now": replace(SOURCE, nodes={k: NODES[k] for k in ("", "image")})}, "label went away"),
        (
            {"now": replace(SOURCE, nodes={**NODES, "image": replace(NODES["image"], document={"shape": [4]})})},
            "image has other metadata",
        ),
        ({"image": Written(False, 3, WRITTEN["image"].records)}, "image has 1 chunks"),
        ({"label": Written(True, 2, (record("label", "c/0", EMPTY), record("label", "c/1")))}, "c/0 was not copied"),
    ],
)
def test_what_is_not_refuses_the_swap(changes, reason):
    balanced = balance(**changes)
    assert any(reason in text for text in balanced.unaccounted)
    with pytest.raises(JobError, match="not accounted for, so x is left as it was"):
        balanced.check("x")


def test_what_the_user_leaves_out_is_said():
    balanced = balance(label=Written(True, 2, (record("label", "c/1", EMPTY),), ("c/0",)))
    balanced.check("x")
    assert balanced.left_out == ("label/c/0",)
    assert (balanced.converted, balanced.copied) == (2, 0)
