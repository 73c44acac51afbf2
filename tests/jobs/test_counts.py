from tinc_codec.jobs.counts import Counts


def test_what_was_done_before_counts_but_is_not_this_runs():
    heard = []
    counts = Counts(10, lambda done, total: heard.append((done, total)))
    counts.reuse(4)
    counts.finish(1)
    counts.finish(2)
    assert heard == [(4, 10), (5, 10), (7, 10)]
    assert (counts.done, counts.reused) == (3, 4)
