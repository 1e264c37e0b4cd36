"""What every test runs under: several CPU devices, and the real data where it is at hand."""

import fcntl
import gc
import os
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
import pytest

from rnn_jax.data import cache, imdb

# Compiling is most of what the tests do, and is made quick: in a fifth of the time with jaxlib 0.10, in two
# thirds with later ones, whose XLA has no other emitters. What is compared is compiled alike, in processes
# that tests start, too. Flags of whoever runs the tests come later, and win.
QUICK = ["--xla_backend_optimization_level=0"]
if version("jaxlib").startswith("0.10."):
    QUICK += ["--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1"]
os.environ["XLA_FLAGS"] = " ".join([*QUICK, os.environ.get("XLA_FLAGS", "")])  # before JAX starts

# Tracing makes millions of small objects, few of them rubbish.
gc.set_threshold(200_000, 20, 100)

# Data parallelism is then tested in every run, whatever the machine.
jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_default_matmul_precision", "highest")  # GPUs would round products to 10 bits
DEVICES = jax.local_device_count()  # starts JAX: the scripts under test would ask for other devices


def need_devices(count: int) -> None:
    """Skips a test where there are too few devices, as on a machine with one GPU."""
    if count > DEVICES:
        pytest.skip(f"needs {count} devices, and there are {DEVICES}")


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items):
    """Encoding the real reviews takes long."""
    for item in items:
        if "imdb_encoded" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True, scope="session")
def compiled_programs(tmp_path_factory):
    """A program is compiled once, for all tests of this process and for processes that they start."""
    settings = {
        "compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "persistent_cache_min_compile_time_secs": 0.01,
    }
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in settings.items():
            jax.config.update(f"jax_{name}", value)
            monkeypatch.setenv(f"JAX_{name.upper()}", str(value))
        yield


@pytest.fixture(autouse=True, scope="module")
def programs_are_freed():
    """Loaded programs take maps of memory, and with more than 65,530 of them a process on Linux crashes."""
    yield
    jax.clear_caches()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or writes the cache of whoever runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def imdb_encoded(tmp_path_factory) -> cache.Encoded:
    """The real IMDb reviews, encoded."""
    if "TFDS_DATA_DIR" not in os.environ or not imdb.is_prepared():
        pytest.skip("needs the real IMDb reviews: set TFDS_DATA_DIR to where TFDS has prepared them")
    # One encoding serves all processes of a parallel test run: their folders have a common parent.
    path = cache.path_for(Path(tmp_path_factory.getbasetemp()).parent, "imdb_reviews")
    with path.with_name("imdb_encoded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            cache.write(path, cache.encode(imdb.load("train"), imdb.load("test")))
    return cache.read(path)
