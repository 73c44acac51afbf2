"""Who trains when: chunks share the cores, others wait, and torch is left as it was."""

import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tinc_codec import ConfigurationError, set_process  # noqa: E402
from tinc_codec.encoding.fit import device  # noqa: E402
from tinc_codec.encoding.fit.device import VOXELS_PER_THREAD, choose, gpus, training  # noqa: E402


def test_torch_is_set_up_for_training_and_given_back():
    set_process(threads=3, device="cpu")
    before = torch.get_num_threads()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        with training(3 * VOXELS_PER_THREAD, lambda: None) as place:
            assert place == torch.device("cpu")
            assert torch.get_num_threads() == 3
            assert torch.is_grad_enabled()
            assert not torch.is_inference_mode_enabled()
            assert not torch.is_autocast_enabled("cpu")
        assert torch.is_inference_mode_enabled()
    assert torch.get_num_threads() == before


def test_few_voxels_take_one_thread():
    set_process(threads=3, device="cpu")
    with training(1, lambda: None):
        assert torch.get_num_threads() == 1


def test_no_more_train_at_once_than_the_process_says_and_who_waits_may_be_stopped():
    set_process(jobs=1, device="cpu")
    waiting, calls = threading.Event(), []

    class Stopped(Exception):
        pass

    def watch():
        waiting.set()
        raise Stopped

    def second():
        with pytest.raises(Stopped), training(1, watch):
            calls.append("trained")

    with training(1, lambda: None):
        other = threading.Thread(target=second)
        other.start()
        assert waiting.wait(60)
        other.join()
    assert calls == []
    with training(1, watch):  # there is room again
        calls.append("trained")
    assert calls == ["trained"]


def test_a_gpu_is_for_one_batch_at_a_time(monkeypatch):
    monkeypatch.setattr(device, "choose", lambda: torch.device("cuda:0"))
    set_process(jobs=5)

    class Stopped(Exception):
        pass

    def watch():
        raise Stopped

    with training(1, watch) as place:
        assert place.type == "cuda"
        with pytest.raises(Stopped), training(1, watch):
            pass


def test_an_error_in_training_leaves_room_for_the_next():
    set_process(jobs=1, device="cpu")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), training(1, lambda: pytest.fail("it waits")):
            raise ZeroDivisionError


def test_devices_that_cannot_be_used_are_named():
    set_process(device="cuda:99")
    with pytest.raises(ConfigurationError, match=r"'cuda:99' cannot be used: .*set TINC_DEVICE to one that can"):
        choose()
    set_process(device="auto")
    assert choose().type == ("cuda" if gpus() else "cpu")
    assert device.gpus() >= 0


def test_gradients_flow_through_tensors_that_were_made_in_inference_mode():
    with torch.inference_mode():
        made = device.tensor(np.ones((2, 3)))
    assert made.dtype == torch.float32
    weight = torch.ones(3, requires_grad=True)
    (made @ weight).sum().backward()
    assert weight.grad.tolist() == [2.0] * 3
