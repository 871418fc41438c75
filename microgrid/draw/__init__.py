"""Pictures and explanations of graphs.

`to_svg` draws a graph and needs nothing for it, `to_dot` and `draw_dot` write it for graphviz, `to_text` as a tree of
text; `explain` writes the chain rule out for it. Notebooks show the picture of a small graph by themselves.
"""

from microgrid.draw.dot import draw_dot, to_dot, trace
from microgrid.draw.explanation import explain
from microgrid.draw.svg import to_svg
from microgrid.draw.text import to_text

__all__ = ["draw_dot", "explain", "to_dot", "to_svg", "to_text", "trace"]
