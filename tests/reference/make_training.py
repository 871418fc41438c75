"""Write what PyTorch (float64, CPU) gives for optimisers, losses and the LSTM cell: optim.json, losses.json, lstm.json.

Run `python make_training.py` with PyTorch installed (made with 2.13). Each file is a JSON list, one entry per line;
numbers are written so that they come back bit for bit.

optim.json: ten steps on `banana` from START.
  optimizer   the class of torch.optim
  options     its keyword arguments
  schedule    the learning rate of each step, or null where it is fixed
  trajectory  the two parameters after each step

losses.json: functions of torch.nn.functional, hinge after its definition.
  name, options            the function and its keyword arguments
  input, target            rows of logits or single predictions; classes, probabilities or numbers
  none, sum, mean          the losses with each reduction
  gradient                 of the sum by each input

lstm.json: torch.nn.LSTMCell over three inputs.
  bias, parameters         by PyTorch's names
  inputs, h, c             the inputs and the first state
  outputs                  the pair (h, c) after each input
  gradients                of the sum of all h and c, each times its place (1, 2, …), by parameters, inputs, h and c
"""

import json
from pathlib import Path

import torch
from torch.nn import functional

START = (-1.2, 0.7)
STEPS = 10
SCHEDULES = {
    "warm up": [0.005 * min(step + 1, 4) for step in range(STEPS)],
    "decay": [0.05 * 0.8**step for step in range(STEPS)],
    "stop and go": [0.0, 0.02, 0.0, 0.03, 0.01, 0.0, 0.0, 0.05, 0.02, 0.01],
}
BETAS = {"betas": [0.7, 0.9]}
SETTINGS = [
    ("SGD", {"lr": 0.02}, None),
    ("SGD", {"lr": 0.02, "momentum": 0.9}, None),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.3}, None),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 1.0}, None),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}, None),
    ("SGD", {"lr": 0.02, "weight_decay": 0.1}, None),
    ("SGD", {"lr": 0.02, "momentum": 0.5, "weight_decay": 0.1}, None),
    ("SGD", {"lr": 0.02, "momentum": 0.5, "dampening": 0.2, "weight_decay": 0.3}, None),
    ("SGD", {"lr": 0.02, "momentum": 0.8, "weight_decay": 0.2, "nesterov": True}, None),
    ("SGD", {}, "warm up"),
    ("SGD", {"momentum": 0.9}, "decay"),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True}, "stop and go"),
    ("Adam", {}, None),
    ("Adam", {"lr": 0.1}, None),
    ("Adam", {"lr": 0.1, **BETAS}, None),
    ("Adam", {"lr": 0.1, "betas": [0.0, 0.0]}, None),
    ("Adam", {"lr": 0.1, "eps": 0.1}, None),
    ("Adam", {"lr": 0.1, "weight_decay": 0.5}, None),
    ("Adam", {**BETAS, "weight_decay": 0.1}, "decay"),
    ("Adam", {}, "warm up"),
    ("AdamW", {}, None),
    ("AdamW", {"lr": 0.1}, None),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.5}, None),
    ("AdamW", {"lr": 0.1, "weight_decay": 0}, None),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.5, "eps": 0.01, **BETAS}, None),
    ("AdamW", {"weight_decay": 0.2}, "stop and go"),
]


def banana(x, y):
    """A curved valley with its minimum 0 at (1, 1)."""
    u, v = 1 - x, y - x * x
    return u * u + 5 * v * v


def trajectory(name, options, schedule):
    """The two parameters after each of ten steps."""
    parameters = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
    optimizer = getattr(torch.optim, name)(parameters, **options)
    points = []
    for step in range(STEPS):
        if schedule is not None:
            optimizer.param_groups[0]["lr"] = schedule[step]
        optimizer.zero_grad()
        banana(*parameters).backward()
        optimizer.step()
        points.append([parameter.item() for parameter in parameters])
    return points


def optim_entries():
    """The lines of optim.json."""
    for name, options, schedule in SETTINGS:
        rates = SCHEDULES.get(schedule)
        points = trajectory(name, options, rates)
        yield {"optimizer": name, "options": options, "schedule": rates, "trajectory": points}


def hinge_loss(input, target, reduction):
    """The hinge loss, which torch has for embeddings only."""
    losses = (1 - target * input).clamp(min=0)
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


NUMBERS = [0.5, -1.25, 3.0, 2.0, -0.75, 1e-9, -40.0, 1e5]
OTHERS = [1.0, -1.0, 0.5, 2.0, 0.25, 0.0, 2.5, -1e5]
PROBABILITIES = [0.9, 0.2, 0.35, 0.6, 0.001, 0.999]
PARTS = [1.0, 0.0, 1.0, 0.25, 0.5, 0.75]
LOGITS = [2.0, -1.0, 0.0, -3.5, 30.0, -30.0]
ROWS = [[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [-3.0, 4.0, 1.0], [10.0, -10.0, 9.5], [700.0, -700.0, 3.0]]
SPREAD = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]]
LOSSES = [
    ("mse_loss", {}, NUMBERS, OTHERS),
    ("l1_loss", {}, NUMBERS, OTHERS),
    ("huber_loss", {}, NUMBERS, OTHERS),
    ("huber_loss", {"delta": 0.25}, NUMBERS, OTHERS),
    ("huber_loss", {"delta": 2.5}, NUMBERS, OTHERS),
    ("binary_cross_entropy", {}, PROBABILITIES, PARTS),
    ("binary_cross_entropy_with_logits", {}, LOGITS, PARTS),
    ("cross_entropy", {}, ROWS, [0, 1, 2, 1, 2]),
    ("cross_entropy", {}, ROWS, [2, 0, 1, 0, 0]),
    ("cross_entropy", {}, ROWS, SPREAD),
    ("cross_entropy", {}, [[1.0, -2.0], [0.5, 0.25]], [[2.0, 1.0], [0.1, 0.2]]),  # need not add up to 1
    ("hinge_loss", {}, NUMBERS, [1, -1, -1, 1, 1, -1, -1, 1]),
]


def loss_entries():
    """The lines of losses.json."""
    for name, options, numbers, targets in LOSSES:
        input = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        classes = name == "cross_entropy" and not isinstance(targets[0], list)
        target = torch.tensor(targets, dtype=torch.int64 if classes else torch.float64)
        function = getattr(functional, name, hinge_loss)
        losses = {kind: function(input, target, reduction=kind, **options) for kind in ("none", "sum", "mean")}
        losses["sum"].backward()
        found = {kind: loss.tolist() for kind, loss in losses.items()} | {"gradient": input.grad.tolist()}
        yield {"name": name, "options": options, "input": numbers, "target": targets, **found}


def lstm_entries():
    """The lines of lstm.json."""
    for bias in (True, False):
        torch.manual_seed(3)
        cell = torch.nn.LSTMCell(2, 3, bias=bias, dtype=torch.float64)
        inputs = [torch.randn(2, dtype=torch.float64, requires_grad=True) for _ in range(3)]
        first = [torch.randn(3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
        state, outputs = tuple(first), []
        for x in inputs:
            state = cell(x, state)
            outputs.append(state)
        flat = torch.cat([part for pair in outputs for part in pair])
        (flat * torch.arange(1, len(flat) + 1)).sum().backward()
        leaves = {**dict(cell.named_parameters()), "inputs": inputs, "h": first[0], "c": first[1]}
        gradients = {k: [x.grad.tolist() for x in v] if k == "inputs" else v.grad.tolist() for k, v in leaves.items()}
        yield {
            "bias": bias,
            "parameters": {name: parameter.tolist() for name, parameter in cell.named_parameters()},
            "inputs": [x.tolist() for x in inputs],
            "h": first[0].tolist(),
            "c": first[1].tolist(),
            "outputs": [[part.tolist() for part in pair] for pair in outputs],
            "gradients": gradients,
        }


if __name__ == "__main__":
    for file, entries in (("optim", optim_entries()), ("losses", loss_entries()), ("lstm", lstm_entries())):
        lines = [json.dumps(entry) for entry in entries]
        Path(__file__).with_name(f"{file}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
