"""Graphs as pictures and as text.

`sketch` lists what there is to draw of a graph, `folding` puts long chains together, `picture` makes boxes and edges of
it, and `layout` places them; `svg`, `dot` and `text` write it down.
"""
