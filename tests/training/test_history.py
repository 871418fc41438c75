"""What a training run was like."""

import pickle

from microgrid.training import History


def test_a_history_is_taken_down_epoch_by_epoch():
    history = History(["accuracy", "right"])
    assert repr(history) == "<History of 0 epochs>" and history.last() == ""
    history.add([0.5], {"accuracy": 0.25, "right": 1})
    history.add([0.25, 0.123456], {"accuracy": 2 / 3, "right": (3, 4)})
    assert history.loss == [0.5, 0.25, 0.123456]
    assert history.metrics == {"accuracy": [0.25, 2 / 3], "right": [1, (3, 4)]}
    assert repr(history) == "<History of 3 epochs, loss 0.1235, accuracy 0.6667, right (3, 4)>"


def test_a_history_without_metrics_pickles():
    history = History()
    history.add([1.0], {})
    history.seconds, history.interrupted = 2.5, True
    again = pickle.loads(pickle.dumps(history))
    assert vars(again) == {"loss": [1.0], "metrics": {}, "seconds": 2.5, "interrupted": True}
