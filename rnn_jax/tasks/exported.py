r"""A trained classifier as a program of its own, which needs no more than JAX to run.

    import json, re
    from pathlib import Path
    import jax, jax.export, numpy as np

    run = Path("runs/lstm")
    words = (run / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    index = {word: 3 + line for line, word in enumerate(words)}
    labels = json.loads((run / "labels.json").read_text(encoding="utf-8"))["labels"]
    program = jax.export.deserialize(bytearray(Path("lstm.program").read_bytes()))

    text = "I expected little, and got a wonderful film."
    found = re.findall(r"\w+(?:'\w+)*", text.lower())[-499:]  # the last, of --max-length 500
    tokens = np.array([[1, *(index.get(word, 2) for word in found)]], np.int32)
    [probabilities] = program.call(tokens, np.array([tokens.shape[1]], np.int32))
    print(labels[probabilities.argmax()], probabilities.max())

It is StableHLO with the weights in it, for batches of any size and texts of any length: `tokens [B, T]` and
`lengths [B]`, of the start, 1, and the words; what is beyond the length of a text is not read. It returns the
probabilities of the labels, `[B, K]`. Training normalises texts a little more, as
`rnn_jax/data/normalization.py` says: curly apostrophes, HTML, invisible characters. A network that reads
log-count ratios takes them, float32 `[B, T, F]`, as a third argument; one that reads bytes takes 3 + byte for
each of them instead of words.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.export
import jax.numpy as jnp

from rnn_jax.cells.cell import Array
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.errors import UserError
from rnn_jax.platforms import PLATFORMS
from rnn_jax.tasks.labels import probabilities_of
from rnn_jax.tasks.predictor import open_classifier


def serialize(program: jax.export.Exported) -> bytes:
    """The program as the content of a file.

    Raises:
        UserError: if flatbuffers is not installed, which JAX uses for it.

    Example:
        >>> content = serialize(export_classifier("runs/lstm"))
        >>> size = Path("lstm.program").write_bytes(content)
        >>> program = jax.export.deserialize(bytearray(Path("lstm.program").read_bytes()))
    """
    if find_spec("flatbuffers") is None:
        raise UserError("a program in a file needs flatbuffers: pip install safetensors flatbuffers")
    return bytes(program.serialize())


def export_classifier(workdir: str | Path, platforms: Sequence[str] = PLATFORMS) -> jax.export.Exported:
    """The best weights of a run as a program: how probable each label is for each text.

    Args:
        workdir: the directory of the run.
        platforms: where it is to run.

    Raises:
        UserError: if the directory holds no run of this task, or no checkpoint.

    Example:
        >>> program = export_classifier("runs/lstm")
        >>> tokens, lengths = jnp.array([[1, 5, 9]]), jnp.array([3])  # the start, and two words
        >>> program.call(tokens, lengths).shape
        (1, 2)
    """
    run = open_classifier(workdir)  # with a scan, of which the number of steps may stay open

    def probabilities(tokens: Array, lengths: Array, ratios: Array | None = None) -> Array:
        return probabilities_of(run.apply(run.params, tokens, lengths, ratios))

    features = ratio_features(run.settings.text.log_count_ratios)
    batch, time = jax.export.symbolic_shape("b, t")
    shapes = [jax.ShapeDtypeStruct((batch, time), jnp.int32), jax.ShapeDtypeStruct((batch,), jnp.int32)]
    if features:
        shapes.append(jax.ShapeDtypeStruct((batch, time, features), jnp.float32))
    return jax.export.export(jax.jit(probabilities), platforms=platforms)(*shapes)
