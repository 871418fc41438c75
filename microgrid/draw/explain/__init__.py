"""The chain rule written out for one graph.

`chain_rule` computes the steps; `text` writes them for a terminal, `markdown` for a notebook, with formulas that
`latex` and `tex` make from the rows of the calculus table.
"""
