"""Pictures and explanations of graphs, and plots of what was learned.

`to_svg` draws a graph, without other packages; `max_nodes` folds what is too large into boxes with a count. `to_text`
writes it as an indented tree, `to_dot` as text for graphviz. `explain` writes out the chain rule for it. Notebooks show
the picture of a small graph by themselves. `draw_dot`, which needs the extra `graphviz`, and `trace` are micrograd's.

`plot_history`, `plot_decision_boundary`, `plot_representation`, `plot_parameters` and `plot_loss_surface` need the
extra `plot`. They draw into the matplotlib axes they are given, or into those of a new figure, and return the axes:
`ax.figure.savefig("plot.png")` writes a file. They leave models unchanged. With a `training.Recorder` among the
callbacks of `fit` they show how the model learned. `history_text`, `decision_boundary_text` and `sparkline` draw in
terminals, without other packages.
"""

from microgrid.draw.explain.explanation import explain
from microgrid.draw.graphs.dot import draw_dot, to_dot, trace
from microgrid.draw.graphs.svg import to_svg
from microgrid.draw.graphs.text import to_text
from microgrid.draw.plots.decision_boundary import decision_boundary_text, plot_decision_boundary
from microgrid.draw.plots.history import history_text, plot_history
from microgrid.draw.plots.loss_surface import plot_loss_surface
from microgrid.draw.plots.parameters import plot_parameters
from microgrid.draw.plots.representation import plot_representation
from microgrid.draw.plots.terminal import sparkline
from microgrid.engine.public import publish

__all__ = [
    "decision_boundary_text",
    "draw_dot",
    "explain",
    "history_text",
    "plot_decision_boundary",
    "plot_history",
    "plot_loss_surface",
    "plot_parameters",
    "plot_representation",
    "sparkline",
    "to_dot",
    "to_svg",
    "to_text",
    "trace",
]

__dir__ = publish(globals())
