"""Checkpoints, and what becomes of them on bad disks."""

import contextlib
import os
import resource
import shutil
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from rnn_jax.errors import UserError
from rnn_jax.stress.damages import DAMAGES
from rnn_jax.training import checkpoints as checkpoints_module
from rnn_jax.training.checkpoints import KEPT, LOOKS, Checkpoint, Checkpoints, SaveError
from rnn_jax.training.manifest import damage_of


def checkpoint(step, best=True):
    """One whose arrays tell its step."""
    state = {"w": np.full((40, 25), step, np.float32), "key": np.arange(step + 1, step + 4, dtype=np.uint32)}
    return Checkpoint(state, {"w": np.full(7, -step, np.float32)} if best else None, {"step": step})


LIKE = checkpoint(0)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two checkpoints, of the steps 5 and 9."""
    path = tmp_path_factory.mktemp("saved")
    for step in (5, 9):
        Checkpoints(path).save(step, checkpoint(step))
    return path


@pytest.fixture
def copy(saved, tmp_path):
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_same(found, expected):
    assert found.progress == expected.progress
    jax.tree.map(np.testing.assert_array_equal, found.state, expected.state)
    jax.tree.map(np.testing.assert_array_equal, found.best, expected.best)


def test_what_is_saved_is_restored(tmp_path):
    checkpoints = Checkpoints(tmp_path / "new")
    assert checkpoints.newest() is None
    for step in (3, 7):
        checkpoints.save(step, checkpoint(step, best=step > 3))
    checkpoints = Checkpoints(tmp_path / "new")
    assert checkpoints.newest() == 7
    assert_same(checkpoints.restore(7, LIKE), checkpoint(7))
    assert_same(checkpoints.restore(3, LIKE), checkpoint(3, best=False))
    only = checkpoints.restore(7, Checkpoint(None, LIKE.best, {}))
    assert_same(only, checkpoint(7)._replace(state=None))


def test_the_newest_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in range(1, 6):
        checkpoints.save(step, checkpoint(step))
    assert {path.name for path in tmp_path.iterdir()} == {str(5 - i) for i in range(KEPT)}


def test_other_shapes_are_refused(saved):
    like = LIKE._replace(state={"w": np.zeros(3, np.float32), "key": LIKE.state["key"]})
    with pytest.raises(UserError, match="9 is of another network"):
        Checkpoints(saved).restore(9, like)


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_checkpoint_is_passed_over(kind, saved, tmp_path, rng, caplog):
    """Hundreds of random damages to real checkpoints, none of which may be restored."""
    for trial in range(60):
        copy = Path(shutil.copytree(saved, tmp_path / str(trial)))
        what = DAMAGES[kind](copy / "9", rng)
        caplog.clear()
        checkpoints = Checkpoints(copy)
        assert checkpoints.newest() == 5, what
        assert "9 is damaged" in caplog.text
        assert "going back to step 5" in caplog.text
    assert_same(checkpoints.restore(5, LIKE), checkpoint(5))


def test_a_checkpoint_that_its_run_drops_while_it_is_read_gives_way_to_a_newer_one(copy, monkeypatch):
    """Dropped between the look at the folder and the end of reading."""
    run, steps, restore = Checkpoints(copy), iter((12, 15)), Checkpoints.restore

    def dropped(self, step, like):
        for newer in steps:  # the first time
            run.save(newer, checkpoint(newer))
        return restore(self, step, like)

    monkeypatch.setattr(Checkpoints, "restore", dropped)
    assert_same(Checkpoints(copy).read(LIKE), checkpoint(15))


def test_a_checkpoint_that_its_run_drops_while_it_is_checked_is_not_called_damaged(copy, monkeypatch, caplog):
    checked = []

    def dropped(folder):
        checked.append(folder.name)
        if len(checked) == 1:
            for newer in (12, 15):
                Checkpoints(copy).save(newer, checkpoint(newer))
        return damage_of(folder)

    monkeypatch.setattr(checkpoints_module, "damage_of", dropped)
    assert_same(Checkpoints(copy).read(LIKE), checkpoint(15))
    assert checked == ["9", "5", "15"]
    assert caplog.text == ""


def test_it_is_looked_for_a_few_times_only_and_once_where_nothing_has_changed(copy, monkeypatch):
    looks, changing = 0, False

    def never(self, step, like):
        nonlocal looks
        looks += 1
        if changing:
            (copy / str(step)).rename(copy / str(step + 1))
        raise UserError(f"{step} cannot be read")

    monkeypatch.setattr(Checkpoints, "restore", never)
    monkeypatch.setattr(checkpoints_module, "damage_of", lambda folder: None)
    with pytest.raises(UserError, match="9 cannot be read"):
        Checkpoints(copy).read(LIKE)
    assert looks == 1
    looks, changing = 0, True
    with pytest.raises(UserError, match=f"{9 + LOOKS - 1} cannot be read"):
        Checkpoints(copy).read(LIKE)
    assert looks == LOOKS


def test_with_none_left_nothing_is_touched(copy, rng):
    for step in ("5", "9"):
        DAMAGES["bit flipped"](copy / step, rng)
    before = content(copy)
    with pytest.raises(UserError, match=r"9 is damaged .*5 is damaged .*bring one back"):
        Checkpoints(copy).newest()
    assert content(copy) == before


def test_a_damaged_checkpoint_is_set_aside_and_its_step_saved_again(copy, rng):
    DAMAGES["truncated"](copy / "9", rng)
    damaged = {path.name: path.read_bytes() for path in (copy / "9").iterdir() if path.is_file()}
    checkpoints = Checkpoints(copy)
    checkpoints.clear(checkpoints.newest())
    aside = copy / "9.damaged"
    assert {path.name: path.read_bytes() for path in aside.iterdir() if path.is_file()} == damaged
    checkpoints.save(9, checkpoint(9))
    assert checkpoints.newest() == 9
    assert_same(checkpoints.restore(9, LIKE), checkpoint(9))


def test_half_a_checkpoint_counts_for_nothing_and_goes(copy):
    for name in ("12.unfinished", "12.unfinished.orbax-checkpoint-tmp-3"):
        shutil.copytree(copy / "9", copy / name)
    checkpoints = Checkpoints(copy)
    assert checkpoints.newest() == 9
    checkpoints.clear(9)
    assert {path.name for path in copy.iterdir()} == {"5", "9"}


@pytest.mark.filterwarnings("ignore:Exception ignored")  # TensorStore's, when Orbax has given up already
def test_a_file_too_many_for_the_disk_is_an_error_and_leaves_the_others(copy):
    """The kernel refuses to let files grow, as it does on a full disk."""
    before = content(copy)
    big = checkpoint(12)._replace(best={"w": np.random.default_rng(0).standard_normal(2**20, np.float32)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(SaveError):
            Checkpoints(copy).save(12, big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    checkpoints = Checkpoints(copy)
    assert checkpoints.newest() == 9
    # Orbax's threads may still write what is no checkpoint.
    left = {path: data for path, data in content(copy).items() if "unfinished" not in str(path)}
    assert left == before
    checkpoints.save(12, checkpoint(12))
    assert checkpoints.newest() == 12
    deadline = time.monotonic() + 20
    while {path.name for path in copy.iterdir()} != {"9", "12"}:  # until Orbax's threads have ended
        assert time.monotonic() < deadline
        checkpoints.clear(12)


def test_a_full_disk(tmp_path, saved):
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs to mount a small disk: Linux, and root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=256k tmpfs {disk} 2> /dev/null"):
        pytest.skip("may not mount a small disk here")
    try:
        checkpoints = Checkpoints(disk / "checkpoints")
        checkpoints.save(5, checkpoint(5))
        full = disk / "full"
        with contextlib.suppress(OSError), full.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        with pytest.raises(SaveError):
            checkpoints.save(9, checkpoint(9))
        assert checkpoints.newest() == 5
        assert_same(checkpoints.restore(5, LIKE), checkpoint(5))
        full.unlink()
        checkpoints.save(9, checkpoint(9))
        assert checkpoints.newest() == 9
        os.system(f"mount -o remount,ro {disk}")
        with pytest.raises(SaveError, match=r"[Rr]ead-only"):
            checkpoints.save(12, checkpoint(12))
        assert_same(Checkpoints(disk / "checkpoints").restore(9, LIKE), checkpoint(9))
    finally:
        os.system(f"umount {disk}")
