"""Arrays of different lengths, as NumPy saves them together: as pickles, which may hold anything.

What is read here may hold arrays and nothing else, so that no file can run code of its own.
"""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")  # of old and new versions
KNOWN = {"ndarray": np.ndarray, "dtype": np.dtype, "_reconstruct": np.empty(0).__reduce__()[0]}


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module not in MODULES or name not in KNOWN:
            raise pickle.UnpicklingError(f"it holds {module}.{name}, and not arrays alone")
        return KNOWN[name]


def read_arrays(path: Path, name: str) -> list[NDArray[Any]]:
    """The arrays that are saved together under a name in an .npz file.

    Raises:
        pickle.UnpicklingError: if it holds anything else.
        KeyError: if it holds nothing of that name.
        zipfile.BadZipFile: if it is damaged.
    """
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        arrays: NDArray[Any] = _Arrays(file, encoding="latin1").load()  # as Python 2 wrote them
    return list(arrays)
