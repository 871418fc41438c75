"""What score can be expected after four hours of study and eight of sleep? A network of 2-3-1 neurons, three examples.

Inputs are divided by the largest of their column and scores by 100, so that a sigmoid can say them. Training ends as
soon as the error is acceptable. Then look what the network makes of hours that nobody has tried.
"""

from collections.abc import Sequence

from common import new_figure, parsed, run
from microgrid import math, no_grad
from microgrid.datasets import exam_scores
from microgrid.draw import plot_history, sparkline
from microgrid.losses import mse_loss
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.training import History, fit

HOURS, SCORES = exam_scores()
LARGEST = [max(column) for column in zip(*HOURS, strict=True)]
ACCEPTABLE = 1e-5  # a mean squared error of 0.3 points of 100


def scaled(hours: Sequence[float]) -> list[float]:
    """Return hours of study and sleep, each divided by the most that was seen."""
    return [number / largest for number, largest in zip(hours, LARGEST, strict=True)]


def trained(seed: int, epochs: int) -> tuple[MLP, History]:
    """Return a network that knows the examples, and how it learned them."""
    net = MLP(2, [3, 1], activation="sigmoid", output="sigmoid", init="normal", rng=seed)
    data = [scaled(hours) for hours in HOURS], [score / 100 for score in SCORES]
    optimizer = SGD(net.parameters(), lr=1.0, momentum=0.9)

    def acceptable(epoch: int, history: History) -> bool:
        return history.loss[-1] < ACCEPTABLE

    return net, fit(net, data, loss=mse_loss, optimizer=optimizer, epochs=epochs, callbacks=[acceptable])


@no_grad()
def score(net: MLP, hours: Sequence[float]) -> float:
    """Return the score out of 100 that the network expects after these hours."""
    return 100 * net(scaled(hours)).data


def draw(file: str, net: MLP, history: History) -> None:
    """Draw the losses, and the scores over all hours."""
    figure = new_figure(9, 4)
    losses, scores = figure.subplots(1, 2)
    plot_history(history, losses)
    study, sleep = range(13), range(10)
    levels = scores.contourf(study, sleep, [[score(net, (x, y)) for x in study] for y in sleep])
    scores.plot(*zip(*HOURS, strict=True), "ko")
    scores.set(title="score expected; dots: the examples", xlabel="hours of study", ylabel="hours of sleep")
    figure.colorbar(levels, label="score of 100")
    figure.savefig(file)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, and ask about four hours of study and eight of sleep."""
    options = parsed(__doc__, argv, seed=1, epochs=5000, plot=True)
    net, history = trained(options.seed, options.epochs)
    print(f"error (log)  {sparkline([math.log(loss) for loss in history.loss])}  {history.loss[-1]:.2e}")
    print(f"after {len(history.loss)} epochs\n")
    print("study  sleep  score  expected")
    for hours, truth in zip(HOURS, SCORES, strict=True):
        print(f"{hours[0]:5.0f}{hours[1]:7.0f}{truth:7}{score(net, hours):10.1f}")
    asked = score(net, (4, 8))
    print(f"{4:5}{8:7}{'?':>7}{asked:10.1f}\n")
    if options.plot:
        draw(options.plot, net, history)
    if history.loss[-1] >= ACCEPTABLE:
        print("The error is not acceptable yet: try more --epochs.")
        return 1
    print(f"It knows the examples to a point, and expects {asked:.0f} of 100 after 4 hours of study and 8 of sleep.")
    print("Three examples leave that open: another --seed expects another score.")
    return 0


if __name__ == "__main__":
    run(main)
