"""The same language model in PyTorch: the same network, weights and recipe, written as its users write it.

Not everything is built. What is not is refused, by the name of its option.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import Any, cast

import jax
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.gru import GRUParams
from rnn_jax.cells.lstm import LSTMParams
from rnn_jax.data.batches import Batch, Split
from rnn_jax.data.tokenizers import UNKNOWN
from rnn_jax.errors import UserError
from rnn_jax.interchange.pytorch import to_pytorch
from rnn_jax.measuring.language_models import Epoch, Take, first_batches, tokens_of
from rnn_jax.models.functional import ModelParams
from rnn_jax.settings import to_flat
from rnn_jax.tasks.language_model import Settings, TokenPreprocessor, make
from rnn_jax.training.recipe import Data

CELLS = {"lstm": "LSTM", "gru": "GRU"}
BUILT = {
    *("embedding_size", "word_dropout", "vocabulary_dropout", "embedding_dropout"),
    *("cell", "hidden_size", "num_layers", "dropout", "tied", "softmax_samples"),
    *("epochs", "batch_size", "learning_rate", "schedule", "warm_up", "clip_norm", "average_decay", "seed"),
    *("dataset", "tokens", "vocabulary_size", "length"),  # decide what the batches hold
    *("unroll", "patience"),  # neither changes what is measured
}
NOT_COUNTED = -1  # a target that takes no part in the loss


def import_torch() -> Any:
    """PyTorch.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UserError("--peers torch: PyTorch is not installed: pip install torch") from error
    return torch


def check_built(settings: Settings) -> None:
    """Raises UserError for settings that ask for what is not built."""
    mine, defaults = to_flat(settings), to_flat(Settings())
    if mine["cell"] not in CELLS:
        raise UserError(f"--peers torch: --cell {mine['cell']}: is one of {', '.join(CELLS)} there")
    for name in sorted(mine.keys() - BUILT):
        if mine[name] != defaults[name]:
            option = f"--{name.replace('_', '-')} {mine[name]}"
            raise UserError(f"--peers torch: {option}: is not built there, leave it {defaults[name]}")


def make_torch_model(settings: Settings, vocabulary_size: int) -> Any:
    """The network, an `nn.Module`: `tokens [B, T], state -> logits [B, T, V], state`; without a state, zeros.

    Raises:
        UserError: if PyTorch is not installed, or the network is not one that is built here.
    """
    check_built(settings)
    torch = import_torch()
    nn = torch.nn
    Module: Any = nn.Module
    noise, recurrent = settings.embedding, settings.recurrent
    size, hidden = noise.embedding_size, recurrent.hidden_size
    # torch.nn.LSTM has a mask for every step between its layers: with one for all steps, a layer is a module.
    single = recurrent.dropout > 0
    stacks = [1] * recurrent.num_layers if single else [recurrent.num_layers]
    kind = getattr(nn, CELLS[recurrent.cell])

    class Network(Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocabulary_size, size)
            sizes = [size] + [hidden] * (len(stacks) - 1)
            self.stacks = nn.ModuleList(
                kind(inputs, hidden, layers, batch_first=True)
                for inputs, layers in zip(sizes, stacks, strict=True)
            )
            self.projection = nn.Linear(hidden, size) if settings.tied and hidden != size else nn.Identity()
            self.head = nn.Linear(size if settings.tied else hidden, vocabulary_size)
            if settings.tied:
                self.head.weight = self.embedding.weight
            for stack in self.stacks:
                for layer in range(stack.num_layers):
                    _train_one_bias(stack, layer)

        def forward(self, tokens: Any, state: Any = None) -> tuple[Any, Any]:
            hidden, states = self.read(tokens, state)
            return self.head(hidden), states

        def read(self, tokens: Any, state: Any = None) -> tuple[Any, Any]:
            """What the output layer reads, and the states."""
            x = self._embed(tokens)
            states = []
            for number, stack in enumerate(self.stacks):
                if number:
                    x = self._locked(x, recurrent.dropout)
                x, last = stack(x, None if state is None else state[number])
                states.append(last)
            return self.projection(self._locked(x, recurrent.dropout)), states

        def _embed(self, tokens: Any) -> Any:
            if self.training and noise.word_dropout:
                dropped = torch.rand(tokens.shape, device=tokens.device) < noise.word_dropout
                tokens = tokens.masked_fill(dropped, UNKNOWN)
            vectors = self.embedding(tokens)
            if self.training and noise.vocabulary_dropout:
                keep = 1 - noise.vocabulary_dropout
                mask = torch.empty(vocabulary_size, 1, device=tokens.device).bernoulli_(keep) / keep
                vectors = vectors * mask[tokens]
            return self._locked(vectors, noise.embedding_dropout)

        def _locked(self, x: Any, rate: float) -> Any:
            """Variational dropout: one mask for all steps."""
            if not self.training or not rate:
                return x
            mask = torch.empty(len(x), 1, x.shape[2], device=x.device).bernoulli_(1 - rate)
            return x * mask.div_(1 - rate)

    return Network()


def _train_one_bias(stack: Any, layer: int) -> None:
    """Of the two biases of a layer, which add up, trains one: both would learn at twice the rate.

    The second bias of the candidate of a GRU is another parameter, c, and is trained.
    """
    bias = getattr(stack, f"bias_hh_l{layer}")
    if stack.mode == "LSTM":
        bias.requires_grad_(False)
        return
    torch, others = import_torch(), 2 * stack.hidden_size
    bias.register_hook(lambda grad: torch.cat([torch.zeros_like(grad[:others]), grad[others:]]))


def counterparts(model: Any, params: ModelParams) -> list[tuple[NDArray[np.float32], Any]]:
    """Pairs of our array, in their layout, and their parameter; of gradients in place of parameters, too."""
    found = [(params["embedding"]["embedding"], model.embedding.weight)]
    layers, numbers = params["recurrent"]["layers"], count()
    for stack in model.stacks:
        make = LSTMParams if stack.mode == "LSTM" else GRUParams
        own = tuple(make(**layers[next(numbers)]) for _ in range(stack.num_layers))
        state = to_pytorch(stack.mode.lower(), own)
        found += [(ours, getattr(stack, name)) for name, ours in state.items()]
    for name in ("projection", "head"):
        if name in params:
            linear = getattr(model, name)
            found += [(params[name]["kernel"].T, linear.weight), (params[name]["bias"], linear.bias)]
    if "bias" in params:
        found.append((params["bias"], model.head.bias))
    return [(np.asarray(ours), theirs) for ours, theirs in found]


def with_weights(model: Any, params: ModelParams) -> Any:
    """The network, with our weights copied into it."""
    torch = import_torch()
    with torch.no_grad():
        for ours, theirs in counterparts(model, params):
            theirs.copy_(torch.tensor(ours))
    return model


def rate_factor(schedule: str, warm_up: float, total_steps: int) -> Callable[[int], float]:
    """The learning rate at a step, as a share of its peak; see `rnn_jax.training.optimizer`."""
    rising = round(warm_up * total_steps)
    shapes: dict[str, Callable[[float], float]] = {
        "linear": lambda share: 1 - share,
        "cosine": lambda share: (1 + math.cos(math.pi * share)) / 2,
        "constant": lambda share: 1.0,
    }
    shape = shapes[schedule]

    def factor(step: int) -> float:
        if step < rising:
            return step / rising
        return shape(min((step - rising) / max(total_steps - rising, 1), 1.0))

    return factor


class TorchTraining:
    """Training by PyTorch, from the weights that ours begins with: on a GPU where JAX has one, too.

    Attributes:
        model: the network, as the last step left it.
        average: the network with averaged weights, which is evaluated.

    Raises:
        UserError: if PyTorch is not installed, or the network is not one that is built here.
    """

    def __init__(self, settings: Settings, data: Data, num_threads: int) -> None:
        training, self.torch = settings.training, import_torch()
        torch = self.torch
        torch.set_num_threads(num_threads)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.manual_seed(training.seed)
        self.device = "cuda" if jax.default_backend() == "gpu" else "cpu"
        size = cast("TokenPreprocessor", data.preprocessor).tokenizer.size
        weights = jax.device_get(make(settings, data.preprocessor).init())
        self.model = with_weights(make_torch_model(settings, size), weights).to(self.device)
        self.average = copy.deepcopy(self.model).eval()
        self.clip_norm, self.average_decay = training.clip_norm, training.average_decay
        self.samples = settings.softmax_samples
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(self.parameters, training.learning_rate, fused=True)
        total = data.train.steps * training.epochs
        factor = rate_factor(training.schedule, training.warm_up, total)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, factor)
        self.steps, self.state = 0, None

    def step(self, batch: Batch) -> None:
        """Takes one step, from the state that the last batch left; gradients do not go back into that."""
        loss, number, self.state = self._loss(self.model, batch, self.state)
        self.optimizer.zero_grad()
        (loss / max(number, 1)).backward()
        if self.clip_norm:
            self.torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        self.schedule.step()
        decay = min(self.average_decay, (1 + self.steps) / (10 + self.steps))
        update = self.torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
        update(list(self.average.parameters()), list(self.model.parameters()), self.steps)
        self.steps += 1

    def evaluate(self, split: Split, rows: int) -> float:
        """The mean loss of a token of a text, by the averaged weights."""
        total, count, state = 0.0, 0, None
        with self.torch.no_grad():
            for plan in split.once():
                loss, number, state = self._loss(self.average, split.batch(plan, range(rows)), state)
                total, count = total + loss.item(), count + number
        return total / count

    def wait(self) -> None:
        """Until all that was begun is done."""
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def _loss(self, model: Any, batch: Batch, state: Any) -> tuple[Any, int, Any]:
        """The sum over all tokens, their number, and the state to go on from, which gradients do not enter.

        All rows of a batch of a `Stream` are fresh at once.
        """
        torch, columns = self.torch, batch.columns
        lengths = columns["targets"].lengths
        counts = np.arange(columns["targets"].values.shape[1]) < lengths[:, None]
        targets = np.where(counts, columns["targets"].values, NOT_COUNTED)
        move = lambda array: torch.from_numpy(array).to(self.device, torch.int64)  # noqa: E731
        hidden, state = model.read(move(columns["tokens"].values), None if columns["fresh"].all() else state)
        rows, wanted = hidden.flatten(0, 1), move(targets).flatten()
        if model.training and self.samples:
            drawn = draw_log_uniform(self.samples, model.head.out_features, self.device)
            losses = sampled_softmax_losses(model.head, rows, wanted.clamp(min=0), drawn)
            loss = losses.masked_fill(wanted == NOT_COUNTED, 0).sum()
        else:
            loss = torch.nn.functional.cross_entropy(
                model.head(rows), wanted, ignore_index=NOT_COUNTED, reduction="sum"
            )
        return loss, int(counts.sum()), [_detach(each) for each in state]


def draw_log_uniform(count: int, size: int, device: str) -> Any:
    """Tokens of about Zipf's law; see `rnn_jax.models.softmax.draw_log_uniform`."""
    torch = import_torch()
    drawn = torch.exp(torch.rand(count, device=device) * math.log(size + 1)) - 1
    return drawn.long().clamp(0, size - 1)


def sampled_softmax_losses(head: Any, hidden: Any, targets: Any, drawn: Any) -> Any:
    """`[N, E], [N], [K] -> [N]`; see `rnn_jax.models.softmax.sampled_softmax_losses`."""
    torch = import_torch()
    probability = torch.log1p(1 / (drawn + 1.0)) / math.log(head.out_features + 1)
    own = (hidden * head.weight[targets]).sum(dim=1) + head.bias[targets]
    bias = head.bias[drawn] - torch.log(len(drawn) * probability)
    others = torch.addmm(bias, hidden, head.weight[drawn].T)
    others = others.masked_fill(targets[:, None] == drawn, -math.inf)
    return torch.logaddexp(own, others.logsumexp(dim=1)) - own


def _detach(state: Any) -> Any:
    """The state of a stack without its history: of an LSTM a pair, of a GRU one tensor."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def torch_epochs(settings: Settings, data: Data, num_threads: int) -> Iterator[Epoch]:
    """Trains epoch by epoch; see `TorchTraining` for errors."""
    training, rows = TorchTraining(settings, data, num_threads), range(settings.training.batch_size)
    seconds = 0.0
    for epoch in range(settings.training.epochs):
        start = time.perf_counter()
        for plan in data.train.epoch(settings.training.seed, epoch):
            training.step(data.train.batch(plan, rows))
        training.wait()
        seconds += time.perf_counter() - start
        yield Epoch(seconds, training.evaluate(data.validation, len(rows)))


def torch_steps(settings: Settings, data: Data, num_threads: int) -> Take:
    """One training step after the other, on the batches of `our_steps`; see `TorchTraining` for errors."""
    training = TorchTraining(settings, data, num_threads)
    batches = cycle(first_batches(data.train, settings.training.batch_size))

    def take(count: int) -> int:
        tokens = 0
        for _ in range(count):
            batch = next(batches)
            training.step(batch)
            tokens += tokens_of(batch)
        training.wait()
        return tokens

    return take
