"""What was too much for a device's memory is counted once."""

from concurrent.futures import ThreadPoolExecutor

from tinc_codec.runtime import shortage


def test_each_is_taken_once_whatever_thread_noted_it():
    shortage.taken()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shortage.note, [shortage.HALVED, shortage.ON_CPU, shortage.ON_CPU] * 20))
    shortage.note(shortage.HALVED)
    assert shortage.taken() == {shortage.HALVED: 21, shortage.ON_CPU: 40}
    assert shortage.taken() == {}
