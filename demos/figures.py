"""Draw the pictures of the READMEs into demos/figures, as `make figures` does.

The same program gives the same bytes: nothing is drawn at random, and no date is written. Backgrounds are transparent
and letters of a middle grey, so that the pictures do on light and on dark pages. Those of speed are drawn from the
table of benchmarks, if there is one.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from microgrid import Value, draw
from microgrid.datasets import truth_table
from microgrid.losses import binary_cross_entropy_with_logits
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.training import Recorder, fit

FOLDER = Path(__file__).parent / "figures"
BENCHMARKS = Path(__file__).parent.parent / "tests" / "benchmarks" / "README.md"
INK = "#747c86"  # as far from white as from GitHub's dark ground: the ratios of luminance are 4.2 and 4.5
OURS, THEIRS = "#D55E00", "#0072B2"
STYLE = {
    "svg.hashsalt": "microgrid",
    "svg.fonttype": "none",  # letters stay letters: smaller, and the same with any font
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.facecolor": "none",
    "legend.facecolor": "white",
    "legend.labelcolor": "black",
    **{f"{part}.color": INK for part in ("text", "xtick", "ytick")},
    **{f"axes.{part}color": INK for part in ("edge", "label")},
}
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}

Timing = tuple[str, str, float]  # case, contestant, seconds


def neuron() -> str:
    """Return the graph of a neuron with two inputs, after its backward pass."""
    x1, x2 = Value(2.0, label="x1"), Value(-1.0, label="x2")
    w1, w2, b = Value(0.5, label="w1"), Value(1.5, label="w2"), Value(1.0, label="b")
    out = (w1 * x1 + w2 * x2 + b).tanh()
    out.label = "out"
    out.backward()
    return draw.to_svg(out, parameters=[w1, w2, b])


def xor() -> tuple[MLP, tuple[list[list[float]], list[int]], Recorder]:
    """Return a network of two hidden units that has learned XOR, the data, and what its parameters were."""
    net, data = MLP(2, [2, 1], activation="tanh", rng=3), truth_table("xor")
    recorder, optimizer = Recorder(net), SGD(net.parameters(), lr=0.5, momentum=0.9)
    fit(net, data, loss=binary_cross_entropy_with_logits, optimizer=optimizer, epochs=150, callbacks=[recorder])
    return net, data, recorder


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure on a transparent ground."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="none")


def regions() -> Any:
    """Return a figure of where the network divides its inputs."""
    net, data, _ = xor()
    figure = new_figure(4.2, 3.6)
    ax = draw.plot_decision_boundary(net, data, figure.subplots(), threshold=0.0, xlim=(-0.5, 1.5), ylim=(-0.5, 1.5))
    ax.set(title="answers of a network of three neurons", xlabel="a", ylabel="b", aspect="equal")
    ax.set(xticks=[-0.5, 0.0, 0.5, 1.0, 1.5], yticks=[-0.5, 0.0, 0.5, 1.0, 1.5])
    ax.legend(title="a xor b", loc="upper right", fontsize="small", title_fontsize="small", framealpha=0.85)
    return figure


def hidden_space() -> Any:
    """Return a figure of where the hidden layer puts the four rows, before the training and after it."""
    net, data, recorder = xor()
    figure = new_figure(8.0, 3.6)
    ends = (-1.2, 1.2)
    for ax, epoch in zip(figure.subplots(1, 2, sharey=True), (0, 150), strict=True):
        options = {"readout": net.layers[1], "threshold": 0.0, "xlim": ends, "ylim": ends}
        draw.plot_representation(net.layers[0], data, ax, recorder=recorder, epoch=epoch, **options)
        title = f"hidden space after {epoch} epochs" if epoch else "hidden space before the training"
        ax.set(aspect="equal", title=title, xlabel="hidden unit 0", ylabel="" if epoch else "hidden unit 1")
        ax.legend(title="a xor b", loc="lower right", fontsize="small", title_fontsize="small", framealpha=0.85)
    return figure


def timings(text: str) -> list[Timing]:
    """Return the times in the table of benchmarks in `text`; none if there is no table."""
    table = text.partition("<!-- benchmarks -->")[2].partition("<!-- end of benchmarks -->")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    found, case = [], ""
    for cells in rows:
        if len(cells) < 3:
            continue
        case = cells[0] or case
        if time := re.fullmatch(r"([\d.]+) (s|ms|µs|ns)", cells[2]):
            found.append((case, cells[1], float(time[1]) * UNITS[time[2]]))
    return found


def speed(found: Sequence[Timing]) -> Any:
    """Return a figure of how long a training step takes, here and in other engines; None if it was not measured."""
    cases = [case for case in dict.fromkeys(case for case, _, _ in found) if re.match("training step.*MLP", case)]
    if not cases:
        return None
    figure = new_figure(8.0, 3.2)
    for ax, case in zip(figure.subplots(1, len(cases), squeeze=False)[0], cases, strict=True):
        bars = sorted(((time, name) for one, name, time in found if one == case), reverse=True)
        times, names = zip(*bars, strict=True)
        drawn = ax.barh(names, times, color=[OURS if name.startswith("microgrid") else THEIRS for name in names])
        ax.bar_label(drawn, [duration(time) for time in times], padding=3, fontsize="small")
        ax.set(xscale="log", xlabel="seconds, the less the better", xlim=(min(times) / 3, max(times) * 20))
        ax.set_title(case.removeprefix("training step, ").replace(", MLP", "\nMLP"), fontsize="medium")
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    unit = next((unit for unit, scale in UNITS.items() if seconds >= scale), "ns")
    return f"{seconds / UNITS[unit]:.3g} {unit}"


def crossover(found: Sequence[Timing]) -> Any:
    """Return a figure of a training step's time by the width of the network; None if it was not measured."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for _, contestant, time in found:
        if match := re.fullmatch(r"width (\d+): (.*)", contestant):
            lines.setdefault(match[2], []).append((int(match[1]), time))
    if not lines:
        return None
    figure = new_figure(5.0, 3.4)
    ax = figure.subplots()
    for name, points in lines.items():
        ours = name.startswith("microgrid")
        shown = {"torch": "PyTorch"}.get(name, name)
        ax.loglog(*zip(*points, strict=True), "o-" if ours else "s--", color=OURS if ours else THEIRS, label=shown)
    widths = sorted({width for points in lines.values() for width, _ in points})
    ax.set_xticks(widths, list(map(str, widths)))
    ax.minorticks_off()
    ax.set(title="two moons, 100 points", xlabel="width of the two hidden layers", ylabel="seconds of a training step")
    ax.legend(fontsize="small")
    return figure


def svg(drawing: Callable[[], Any]) -> str:
    """Return what is drawn as the text of an SVG; empty if there is nothing."""
    import io

    from matplotlib import rc_context, rcParamsDefault

    with rc_context({**rcParamsDefault, **STYLE}):
        figure = drawing()
        if figure is None:
            return ""
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return tidied(stream.getvalue())


def tidied(text: str) -> str:
    """Return an SVG with coordinates to a tenth of a point, which hides roundings that differ from machine to machine,
    and without points in the middle of vertical and horizontal lines."""
    text = re.sub(r"\d+\.\d{4,}", lambda match: f"{float(match[0]):.1f}", text)
    lines: list[str] = []
    for line in map(str.rstrip, text.splitlines()):
        points = [one.split(" ") for one in (*lines[-2:], line) if re.fullmatch(r"L \S+ \S+", one)]
        if len(points) == 3 and any(len({point[axis] for point in points}) == 1 for axis in (1, 2)):
            lines.pop()
        lines.append(line)
    return "\n".join(lines) + "\n"


def figures() -> dict[str, str]:
    """Return all pictures by the names of their files."""
    found = timings(BENCHMARKS.read_text(encoding="utf-8"))
    drawn = {
        "neuron.svg": neuron(),
        "xor.svg": svg(regions),
        "hidden_space.svg": svg(hidden_space),
        "speed.svg": svg(lambda: speed(found)),
        "crossover.svg": svg(lambda: crossover(found)),
    }
    return {name: text for name, text in drawn.items() if text}


def main() -> None:
    """Write the pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in figures().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"{FOLDER.name}/{name}: {len(text.encode()) / 1000:.1f} kB")


if __name__ == "__main__":
    main()
