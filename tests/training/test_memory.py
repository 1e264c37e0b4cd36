import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from rnn_jax.training.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
np.ones(16 * 2**20, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(16 * 2**20, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told so")
def test_a_block_that_was_freed_is_used_again():
    """Counted by the pages that the kernel had to hand out."""

    def faults(how):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert faults("kept") < 100
