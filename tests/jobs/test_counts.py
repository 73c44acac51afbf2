from tinc_codec.jobs.counts import Counts


def test_what_was_done_before_counts_but_is_not_this_runs():
    heard = []
    counts = Counts(10, lambda *numbers: heard.append(numbers))
    counts.reuse(4)
    counts.finish(1000, 20)
    counts.finish(500, 70)
    assert heard == [(4, 10, 0, 0), (5, 10, 1000, 20), (6, 10, 1500, 90)]
    assert (counts.done, counts.reused) == (2, 4)
