"""Graphs as pictures and as text.

`sketch` lists the items of a graph, `folding` puts items of a large graph into groups, `picture` makes boxes and edges
of them, and `layout` places these; `svg` and `dot` write a picture, `text` a tree.
"""
