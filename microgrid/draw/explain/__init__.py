"""The chain rule written out for one graph, as text and in Markdown."""
