"""Pictures of graphs: `to_svg` draws a graph, and needs nothing for it."""

from microgrid.draw.svg import to_svg

__all__ = ["to_svg"]
