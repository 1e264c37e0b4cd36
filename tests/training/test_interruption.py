import os
import signal
import subprocess
import sys

import pytest

from rnn_jax.training.interruption import StopRequests


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_handlers_come_back(number):
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
    with StopRequests() as stop:
        assert stop.received(step=1) is None
        os.kill(os.getpid(), number)
        assert stop.received(step=2) == number
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize("first", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("second", ["SIGTERM", "SIGINT"])
def test_a_second_signal_ends_the_process_at_once(first, second):
    program = (
        "import os, signal\n"
        "from rnn_jax.training.interruption import StopRequests\n"
        "with StopRequests() as stop:\n"
        f"    os.kill(os.getpid(), signal.{first})\n"
        "    print(stop.received(1), flush=True)\n"
        f"    os.kill(os.getpid(), signal.{second})\n"
        "    print('still here')\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == -getattr(signal, second)
    assert run.stdout.split() == [str(int(getattr(signal, first)))]
