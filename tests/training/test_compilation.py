import os
import subprocess
import sys

SCRIPT = """
import logging, jax
logging.getLogger("jax._src.compiler").setLevel(logging.DEBUG)
logging.getLogger("jax._src.compiler").addHandler(logging.StreamHandler())
from rnn_jax.training.compilation import keep_compiled_programs
keep_compiled_programs()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print(jax.jit(lambda x: jax.lax.fori_loop(0, 10, lambda i, x: x @ x / 3, x))(jax.numpy.ones((3, 3)))[0, 0])
"""


def run(**environment):
    inherited = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        env=inherited | environment,
        check=True,
    )
    return done.stdout, done.stderr


def test_the_next_process_takes_what_this_one_compiled(tmp_path):
    first, log = run(XDG_CACHE_HOME=str(tmp_path))
    assert "Persistent compilation cache hit" not in log
    (folder,) = (tmp_path / "rnn_jax/compiled").iterdir()
    assert any("lambda" in path.name for path in folder.iterdir())
    again, log = run(XDG_CACHE_HOME=str(tmp_path))
    assert "Persistent compilation cache hit for 'jit__lambda" in log
    assert again == first


def test_another_place_or_none_can_be_set(tmp_path):
    run(XDG_CACHE_HOME=str(tmp_path / "home"), JAX_COMPILATION_CACHE_DIR=str(tmp_path / "other"))
    run(XDG_CACHE_HOME=str(tmp_path / "home"), JAX_ENABLE_COMPILATION_CACHE="false")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
