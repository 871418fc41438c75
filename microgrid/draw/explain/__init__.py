"""The chain rule written out for one graph.

`chain_rule` works out the steps, `text` writes them for a terminal, `markdown` for a notebook, with formulas that
`latex` and `tex` make of the rows of the calculus table.
"""
