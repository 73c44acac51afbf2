import signal
import threading

import pytest

from tinc_codec.jobs.interrupt import deferred


def test_ctrl_c_is_raised_where_it_is_asked_for():
    before = signal.getsignal(signal.SIGINT)
    with deferred() as check:
        check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.getsignal(signal.SIGINT) is before


def test_pressed_again_it_is_raised_at_once():
    with deferred():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_other_threads_are_not_interrupted():
    before, seen = signal.getsignal(signal.SIGINT), []

    def run():
        with deferred() as check:
            check()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
