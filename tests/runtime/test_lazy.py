import threading

from tinc_codec.runtime.lazy import lazy


class Counted:
    def __init__(self):
        self.times = 0

    @lazy
    def value(self):
        """What it costs something to know."""
        self.times += 1
        return [self.times]


def test_it_is_computed_once_for_each_instance():
    one, other = Counted(), Counted()
    assert one.value is one.value
    assert (one.times, other.times) == (1, 0)
    assert other.value is not one.value
    assert Counted.value.__doc__ == "What it costs something to know."


def test_of_two_threads_one_value_stays():
    inside, go = threading.Barrier(2), threading.Event()

    class Slow:
        @lazy
        def value(self):
            inside.wait(10)  # both compute it: no lock is held
            go.wait(10)
            return object()

    slow, values = Slow(), []
    threads = [threading.Thread(target=lambda: values.append(slow.value)) for _ in range(2)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert values[0] is values[1] is slow.value
