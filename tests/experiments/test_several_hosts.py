"""The training script as several processes of one job, on this machine, over loopback."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from rnn_jax.stress.ends import end_of

pytestmark = pytest.mark.slow

SMALL = shlex.split(
    "--dataset synthetic --train-examples 120 --epochs 12 --batch-size 40 --hidden-size 4 --embedding-size 4 "
    "--max-length 40 --buckets 1 --save-every 1 --log-every 1"
)


CHARACTERS = shlex.split(
    "--epochs 2 --batch-size 8 --hidden-size 6 --embedding-size 4 --length 16 --save-every 5 --log-every 5"
)


def start(workdir, hosts, devices=1, script=("imdb_sentiment", *SMALL)):
    """Starts a job; its processes find each other through Open MPI's variables, as under mpirun."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    name, *options = script
    command = [sys.executable, "-m", f"experiments.{name}", *options, "--workdir", str(workdir)]
    command += ["--num-devices", str(devices)] + ["--distributed"] * (hosts > 1)
    processes = []
    for rank in range(hosts):
        found_by = {
            "OMPI_MCA_orte_hnp_uri": "1.0;tcp://127.0.0.1:1",
            "OMPI_COMM_WORLD_SIZE": str(hosts),
            "OMPI_COMM_WORLD_RANK": str(rank),
            "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
            "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
            "JAX_PLATFORMS": "cpu",
        }
        environment = os.environ | (found_by if hosts > 1 else {"JAX_PLATFORMS": "cpu"})
        processes.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        )
    return processes


def finish(processes, seconds=120):
    """Exit codes, and what was printed."""
    try:
        printed = [process.communicate(timeout=seconds)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes], printed


def wait_for_step(workdir, step, processes):
    """Until a step has been logged."""
    deadline = time.monotonic() + 120
    log = Path(workdir) / "metrics.jsonl"
    while not (log.exists() and any(f'"step": {s},' in log.read_text() for s in range(step, step + 99))):
        assert time.monotonic() < deadline
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)


def newest(path):
    """The step of the newest checkpoint."""
    return max(int(p.name) for p in (path / "checkpoints").iterdir() if p.name.isdecimal())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What one process with one device ends with."""
    path = tmp_path_factory.mktemp("hosts") / "undisturbed"
    codes, printed = finish(start(path, hosts=1))
    assert codes == [0], printed
    return path


def assert_alike(path, other):
    """The same run, but for the order in which floats are added up."""
    ours, theirs = end_of(path), end_of(other)
    assert ours["step"] == theirs["step"]
    for name in ("log", "result"):
        for a, b in zip(_numbers(ours[name]), _numbers(theirs[name]), strict=True):
            assert a == pytest.approx(b, rel=2e-3, abs=2e-3)
    for name in ours.keys() - {"step", "log", "result"}:
        if "key" not in name:
            a, b = (np.frombuffer(end[name], np.float32) for end in (ours, theirs))
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3)


def _numbers(value):
    if isinstance(value, dict):
        return [n for key in sorted(value) if key not in ("hardware", "commit") for n in _numbers(value[key])]
    if isinstance(value, list):
        return [n for each in value for n in _numbers(each)]
    return [value] if isinstance(value, (int, float)) else []


def test_two_processes_train_what_one_does(tmp_path, undisturbed):
    codes, printed = finish(start(tmp_path / "run", hosts=2, devices=2))
    assert codes == [0, 0], printed
    assert "test accuracy" in printed[0]
    assert "test accuracy" not in printed[1]
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["hardware"]["num_hosts"], result["hardware"]["num_devices"]) == (2, 4)
    assert_alike(tmp_path / "run", undisturbed)


def test_what_a_batch_leaves_to_the_next_is_that_of_its_own_rows(tmp_path):
    """A language model whose state goes on: two processes do what one does."""
    text = tmp_path / "text.txt"
    text.write_text("".join(f"{i} men went out, {i * i} came back. " for i in range(200)), encoding="utf-8")
    script = ("language_model", *CHARACTERS, "--dataset", str(text))
    for hosts in (1, 2):
        codes, printed = finish(start(tmp_path / str(hosts), hosts, script=script))
        assert codes == [0] * hosts, printed
    assert_alike(tmp_path / "2", tmp_path / "1")


def test_a_run_moves_from_one_process_to_two_and_back(tmp_path, undisturbed):
    """Stopped by a SIGTERM that reaches one process only: all stop at the same step."""
    path = tmp_path / "run"
    for hosts, step in ((1, 4), (2, 12)):
        processes = start(path, hosts)
        wait_for_step(path, step, processes)
        processes[-1].send_signal(signal.SIGTERM)
        codes, printed = finish(processes)
        assert codes == [143] * hosts, printed
        assert "stopped by SIGTERM after saving step" in printed[0]
        saved = newest(path)
    codes, printed = finish(start(path, 1))
    assert codes == [0], printed
    assert f"going on from step {saved}" in printed[0]
    assert_alike(path, undisturbed)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_process_that_dies_takes_the_others_with_it(killed, tmp_path, undisturbed):
    """Within seconds, in plain words; and the job goes on from its last checkpoint."""
    path = tmp_path / "run"
    processes = start(path, 2)
    wait_for_step(path, 4, processes)
    processes[killed].kill()
    begin = time.monotonic()
    codes, printed = finish(processes, seconds=60)
    assert time.monotonic() - begin < 45
    assert codes[killed] == -signal.SIGKILL
    assert codes[1 - killed] not in (0, 2, 143)
    # In our words, or, where the first has gone, perhaps in those of JAX, which then ends the others itself.
    clear = ("the processes of a job end together", "This most likely indicates that another task died")
    assert any(words in printed[1 - killed] for words in clear), printed[1 - killed]
    saved = newest(path)
    codes, printed = finish(start(path, 2))
    assert codes == [0, 0], printed
    assert f"going on from step {saved}" in printed[0]
    assert_alike(path, undisturbed)


def test_the_job_files_call_the_script_as_it_is():
    """Slurm's is a shell script; the one of Kubernetes is YAML of the kinds that JAX looks for."""
    folder = Path(__file__).parents[2] / "experiments" / "cluster"
    subprocess.run(["bash", "-n", folder / "slurm.sh"], check=True)
    assert "-m experiments.imdb_sentiment" in (folder / "slurm.sh").read_text()
    *_, jobset = yaml.safe_load_all((folder / "jobset.yaml").read_text())
    job = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]
    assert (jobset["kind"], job["completionMode"]) == ("JobSet", "Indexed")
    container = job["template"]["spec"]["containers"][0]
    assert container["command"] == ["python", "-m", "experiments.imdb_sentiment"]
    assert "--distributed" in container["args"]
