import json

import pytest

from tinc_codec.serve.answers import Answer, as_json, beyond, listing, of_bytes, of_part, refused, tagged, unchanged
from tinc_codec.serve.ranges import Conditions

BODY, TAG = bytes(range(10)), '"tag"'


def test_bytes_come_whole_with_their_tag_and_must_be_asked_about_again():
    answer = of_bytes(BODY, TAG, Conditions(), "text/plain")
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers == {
        "Content-Type": "text/plain",
        "Cache-Control": "no-cache",
        "Accept-Ranges": "bytes",
        "ETag": TAG,
    }
    assert "ETag" not in tagged(None, "text/plain")


def test_whoever_has_the_bytes_is_sent_none_even_where_a_part_is_asked_for():
    answer = of_bytes(BODY, TAG, Conditions(frozenset({TAG}), "bytes=0-3"))
    assert answer == unchanged(TAG, "application/octet-stream")
    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", TAG)


@pytest.mark.parametrize(
    ("byte_range", "body", "place"),
    [("bytes=0-0", b"\0", "0-0"), ("bytes=7-99", BODY[7:], "7-9"), ("bytes=-2", BODY[8:], "8-9")],
)
def test_a_part_says_where_it_lies(byte_range, body, place):
    answer = of_bytes(BODY, TAG, Conditions(byte_range=byte_range))
    assert (answer.status, answer.body) == (206, body)
    assert answer.headers["Content-Range"] == f"bytes {place}/10"
    part = slice(int(place.split("-")[0]), int(place.split("-")[1]) + 1)
    assert of_part(body, part, 10, tagged(TAG, "application/octet-stream")) == answer


def test_a_part_beyond_the_end_is_no_part():
    answer = of_bytes(BODY, TAG, Conditions(byte_range="bytes=10-"))
    assert answer == beyond(10, TAG)
    assert (answer.status, answer.body, answer.headers["Content-Range"]) == (416, b"", "bytes */10")


def test_a_part_of_bytes_that_have_changed_since_is_all_of_them():
    answer = of_bytes(BODY, TAG, Conditions(byte_range="bytes=0-3", if_range='"old"'))
    assert (answer.status, answer.body) == (200, BODY)
    assert "Content-Range" not in answer.headers


def test_a_refusal_is_not_kept_and_says_when_to_come_back_where_that_helps():
    for status, again in ((404, None), (503, "1")):
        answer = refused(status, "why")
        assert (answer.status, json.loads(answer.body)) == (status, {"error": "why"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers.get("Retry-After") == again


def test_what_json_holds():
    assert as_json({"a": [1, None]}) == Answer(
        200, b'{"a": [1, null]}', {"Content-Type": "application/json", "Cache-Control": "no-store"}
    )


def test_names_of_a_listing_cannot_become_markup():
    page = listing("<b>", ["a/x y", 'a/"><script>']).body.decode()
    assert '<a href="/data.zarr/a/x%20y">x y<' in page
    assert "<b>" not in page
    assert "<script>" not in page
    assert page.count("<li>") == 2
    assert "<title>/</title>" in listing("", []).body.decode()
