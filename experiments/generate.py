"""Lets a trained language model write, a token at a time."""

import json
import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from experiments.command_line import Place, parse, run
from rnn_jax.errors import UserError
from rnn_jax.models.sampling import SamplingSettings
from rnn_jax.settings import require, to_flat
from rnn_jax.tasks.generator import Generator
from rnn_jax.training.compilation import keep_compiled_programs


@dataclass(frozen=True)
class Options:
    """Lets a trained language model go on from a beginning."""

    prompt: Annotated[str, tyro.conf.Positional] = ""
    """What the text begins with; without it, a line begins."""
    workdir: Place = tyro.MISSING
    """Directory of the run."""
    length: int = 200
    """Tokens to write."""
    sampling: SamplingSettings = SamplingSettings()
    seed: int = 0
    """Decides all draws."""
    samples: int = 1
    """Texts to write."""
    next: bool = False
    """List the most probable next tokens with their probabilities instead."""
    json: bool = False
    """Print JSON objects, a line each."""


def main() -> None:
    """Prints each text as it is drawn."""
    options = parse(Options)
    keep_compiled_programs()
    require(options.samples > 0, "samples", options.samples, "must be above 0")
    require(options.seed >= 0, "seed", options.seed, "must be 0 or more")
    try:
        options.prompt.encode()
    except UnicodeEncodeError as error:
        raise UserError("PROMPT is not UTF-8 text: convert it first") from error
    generator = Generator(options.workdir)
    if unknown := generator.unknown(options.prompt):
        print(f"warning: {unknown} tokens of the prompt are unknown to it", file=sys.stderr)
    if options.next:
        for each in generator.next(options.prompt)[: options.sampling.top_k or 10]:
            as_json = json.dumps(each._asdict(), ensure_ascii=False)
            print(as_json if options.json else f"{each.probability:7.2%}  {each.token!r}")
        return
    read = generator.tokenizer.encode(options.prompt).tolist()
    for sample in range(options.samples):
        tokens = generator.stream(
            options.prompt,
            length=options.length,
            seed=options.seed,
            sample=sample,
            **to_flat(options.sampling),
        )
        if options.json:
            text = generator.tokenizer.decode(tokens)
            print(json.dumps({"sample": sample, "prompt": options.prompt, "text": text}, ensure_ascii=False))
            continue
        if options.samples > 1:
            print(f"--- sample {sample + 1}")
        print(generator.tokenizer.decode(read), end="", flush=True)
        for text in generator.tokenizer.decode_each(tokens, after=read[-1] if read else None):
            print(text, end="", flush=True)
        print()


if __name__ == "__main__":
    run(main, end_with_reader=True)
