"""The table of a network: its rows, its counts, and text that stays text."""

import xml.etree.ElementTree as ET
from typing import Any

from microgrid import Value
from microgrid.nn import MLP, Layer, Module, Neuron
from microgrid.nn.table import MOST_ROWS


def cells(module: Module) -> list[list[str]]:
    table = ET.fromstring(module._repr_html_())
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")][1:]


def caption(module: Module) -> str:
    found = ET.fromstring(module._repr_html_()).find("caption")
    assert found is not None
    return found.text or ""


def test_a_network_is_shown_by_layers() -> None:
    net = MLP(2, [4, 1])
    assert caption(net) == "MLP with 17 parameters"
    assert cells(net) == [
        ["layers.0", "Layer", "12"],
        ["layers.0.neurons.0 … 3", "4 × ReLUNeuron(2)", "12"],
        ["layers.1", "Layer", "5"],
        ["layers.1.neurons.0", "LinearNeuron(4)", "5"],
    ]


def test_parameters_of_ones_own_have_rows() -> None:
    class Scaled(Module):
        def __init__(self) -> None:
            self.scale = Value(0.5, label="s")
            self.offset = Value(2.0)
            self.table = {"first": Value(1.0), "rest": [Value(2.0), Value(3.0)]}
            self.heads = (Neuron(1), Neuron(2))
            self.other = "no part"
            self.result = self.scale * 2

    assert cells(Scaled()) == [
        ["scale … offset", "2 parameters", "2"],
        ["table.first", "1", "1"],
        ["table.rest.0 … 1", "2 parameters", "2"],
        ["heads.0", "ReLUNeuron(1)", "2"],
        ["heads.1", "ReLUNeuron(2)", "3"],
    ]
    neuron = Neuron(1, bias=False)
    neuron.w[0].label, neuron.w[0].data = "w", 0.5
    assert cells(neuron) == [["w.0", "w 0.5", "1"]] and caption(neuron) == "Neuron with 1 parameter"


def test_what_is_shared_or_leads_back_has_one_row() -> None:
    class Tied(Module):
        def __init__(self) -> None:
            self.first = Layer(1, 2)
            self.again = self.first
            self.me = self
            self.held: list[Any] = [self.first]
            self.held.append(self.held)

    assert [row[0] for row in cells(Tied())] == ["first", "first.neurons.0 … 1"]


def test_names_are_text() -> None:
    class Odd(Module):
        def __init__(self) -> None:
            self.parts = {"<script>&\n": Value(1.0, label="<b>\x00")}

        def __repr__(self) -> str:
            return "<Odd>"

    class Holder(Module):
        def __init__(self) -> None:
            self.odd = Odd()

    assert cells(Odd()) == [["parts.<script>&\\n", "<b>\\x00 1", "1"]]
    assert cells(Holder()) == [["odd", "<Odd>", "1"]]


def test_long_tables_are_cut() -> None:
    rows = cells(MLP(1, list(range(1, MOST_ROWS))))
    assert len(rows) == MOST_ROWS + 1 and rows[-1] == ["…", "", ""]


def test_the_representation_stays_one_line() -> None:
    assert "\n" not in repr(MLP(2, [4, 1]))
