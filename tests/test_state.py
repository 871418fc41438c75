"""The file of a model: what is in it, that it is written at once or not at all, and what is refused."""

import json
import math
import os
import re
import stat

import pytest

from microgrid.nn import state

PARAMETERS = {"w.0": 0.1, "w.1": -0.0, "b": 5e-324}
GOOD = '{"format": "microgrid", "version": 1, "parameters": {"w": 1.5}}'


def test_the_file_is_plain_json(tmp_path):
    path = tmp_path / "net.json"
    state.write(path, PARAMETERS)
    assert json.loads(path.read_text("utf-8")) == {"format": "microgrid", "version": 1, "parameters": PARAMETERS}
    found = state.read(path)
    assert [*found.items()] == [*PARAMETERS.items()] and math.copysign(1, found["w.1"]) == -1
    assert [file.name for file in tmp_path.iterdir()] == ["net.json"]


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_inf_and_nan_are_not_written(tmp_path, number):
    path = tmp_path / "net.json"
    state.write(path, PARAMETERS)
    with pytest.raises(ValueError, match=rf"^b is {number}: a file holds finite numbers only$"):
        state.write(path, {"w": 1.0, "b": number})
    assert state.read(path) == PARAMETERS
    assert [file.name for file in tmp_path.iterdir()] == ["net.json"]


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, name):
    path = tmp_path / "net.json"
    state.write(path, PARAMETERS)

    def fail(*arguments):
        assert len([*tmp_path.iterdir()]) == 2, "the new file stands beside the old one"
        raise OSError("the disk is full")

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match=r"^the disk is full$"):
        state.write(path, {"w": 2.0})
    assert state.read(path) == PARAMETERS
    assert [file.name for file in tmp_path.iterdir()] == ["net.json"]


def test_a_path_that_cannot_be_written_is_named_as_it_was_given(tmp_path):
    path = tmp_path / "missing" / "net.json"
    with pytest.raises(FileNotFoundError) as caught:
        state.write(path, PARAMETERS)
    assert str(caught.value).endswith(f": {str(path)!r}")
    with pytest.raises(OSError) as caught:  # noqa: PT011
        state.write(tmp_path, PARAMETERS)
    assert caught.value.filename == str(tmp_path) and not [*tmp_path.iterdir()]


def test_the_new_file_is_whole_before_it_takes_the_place_of_the_old(tmp_path, monkeypatch):
    path, replace, seen = tmp_path / "net.json", os.replace, []

    def watch(source, target):
        seen.append((state.read(source), os.path.dirname(source), target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    state.write(path, PARAMETERS)
    assert seen == [(PARAMETERS, os.path.realpath(tmp_path), os.path.realpath(path))]


@pytest.mark.skipif(os.name == "nt", reason="links and modes are POSIX's")
def test_links_stay_links_and_the_umask_holds(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    umask = os.umask(0o027)
    try:
        state.write(link, PARAMETERS)
    finally:
        os.umask(umask)
    assert link.is_symlink() and state.read(real) == PARAMETERS
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_good_file(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(GOOD, encoding="utf-8-sig")  # some editors put a mark before it
    assert state.read(path) == {"w": 1.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no JSON: Expecting value"),
        ("import os", "no JSON: Expecting value"),
        (b"\x80\x04\x95\x10", "no JSON: 'utf-8' codec can't decode"),  # a pickle
        (GOOD[:-1], "no JSON: Expecting ',' delimiter"),
        ("[" * 100_000, "no JSON: maximum recursion depth exceeded"),
        (GOOD.replace("1.5", "9" * 5000), "no JSON: Exceeds the limit"),
        (GOOD.replace("1.5", "NaN"), "no JSON: NaN is no number of JSON"),
        (GOOD.replace("1.5", "-Infinity"), "no JSON: -Infinity is no number of JSON"),
        (GOOD.replace('"w": 1.5', '"w": 1.5, "w": 2.5'), "no JSON: a name comes twice in one object"),
        ("[]", "no file of a model: expected 'format' to be 'microgrid'"),
        ("{}", "no file of a model: expected 'format' to be 'microgrid'"),
        (GOOD.replace("microgrid", "torch"), "no file of a model: expected 'format' to be 'microgrid'"),
        (GOOD.replace("1,", "2,"), "its version is 2, expected 1"),
        (GOOD.replace("1,", "true,"), "its version is True, expected 1"),
        (GOOD.replace("1,", "1.0,"), "its version is 1.0, expected 1"),
        (GOOD.replace("version", "revision"), "its version is None, expected 1"),
        (
            GOOD.replace("parameters", "weights"),
            "expected 'format', 'version' and 'parameters', an object, got ['format',",
        ),
        (
            GOOD.replace('{"w": 1.5}', "[1.5]"),
            "expected 'format', 'version' and 'parameters', an object, got ['format',",
        ),
        (GOOD[:-1] + ', "code": "x"}', "expected 'format', 'version' and 'parameters', an object, got ['format',"),
        (GOOD.replace("1.5", '"1.5"'), "w is no number: str '1.5'"),
        (GOOD.replace("1.5", "[1.5]"), "w is no number: list [1.5]"),
        (GOOD.replace("1.5", "true"), "w is no number: bool True"),
        (GOOD.replace("1.5", "null"), "w is no number: NoneType None"),
        (GOOD.replace("1.5", "1e999"), "w is inf: a file holds finite numbers only"),
        (GOOD.replace("1.5", "1" + "0" * 400), "w is too large for a float"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    path = tmp_path / "net.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        state.read(path)
