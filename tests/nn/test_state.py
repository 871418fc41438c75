"""The file of a model: what is in it, that it is written at once or not at all, and what is refused."""

import errno
import json
import math
import os
import re
import stat
import threading

import pytest

from microgrid.nn import state
from tests.interruptions import everywhere

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
    with pytest.raises(ValueError, match=rf"^b is {number}: a file can contain finite numbers only$"):
        state.write(path, {"w": 1.0, "b": number})
    assert state.read(path) == PARAMETERS
    assert [file.name for file in tmp_path.iterdir()] == ["net.json"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError("unknown"), MemoryError()])
@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, name, error):
    path = tmp_path / "net.json"
    state.write(path, PARAMETERS)

    def fail(*arguments):
        assert len([*tmp_path.iterdir()]) == 2, "the new file stands beside the old one"
        raise error

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(type(error)) as caught:
        state.write(path, {"w": 2.0})
    named = f"[Errno {errno.ENOSPC}] No space left on device: {str(path)!r}"
    assert str(caught.value) == (named if getattr(error, "errno", None) else str(error))
    assert state.read(path) == PARAMETERS
    assert [file.name for file in tmp_path.iterdir()] == ["net.json"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interruption_leaves_the_old_file_or_the_new_one(tmp_path):
    """What it leaves beside them is removed by a later save; a file that `with` has not got yet closes itself."""
    path, found = tmp_path / "net.json", []
    state.write(path, PARAMETERS)
    for _ in everywhere(lambda: state.write(path, {"w": 2.0}), state, most=100):
        found.append([PARAMETERS, {"w": 2.0}].index(state.read(path)))
        for file in tmp_path.iterdir():
            os.utime(file, (0, 0))
        state.write(path, PARAMETERS)
        assert [file.name for file in tmp_path.iterdir()] == ["net.json"]
    assert {*found} == {0, 1}


def test_only_old_leftovers_are_removed(tmp_path):
    names = [f".net.json.{'0' * 16}.tmp", f".net.json.{'1' * 16}.tmp", ".net.json.0.tmp", "net.json.123.tmp",
             f".other.json.{'0' * 16}.tmp"]  # fmt: skip
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / names[1])  # somebody is writing it
    state.write(tmp_path / "net.json", PARAMETERS)
    assert {file.name for file in tmp_path.iterdir()} == {"net.json", *names[1:]}


def test_many_threads_save_to_one_path(tmp_path):
    path, errors = tmp_path / "net.json", []

    def save(number):
        try:
            for _ in range(20):
                state.write(path, {f"w.{index}": float(number) for index in range(100 * number)})
        except OSError as error:  # of Windows, where a file that somebody replaces cannot be replaced
            errors.append(error)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = state.read(path)
    assert len({*found.values()}) == 1 and len(found) == 100 * found["w.0"]
    assert [file.name for file in tmp_path.iterdir()] == ["net.json"] and (os.name == "nt" or not errors)


def test_a_long_name(tmp_path):
    path = tmp_path / ("n" * 250 + ".json")
    state.write(path, PARAMETERS)
    assert state.read(path) == PARAMETERS


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


posix = pytest.mark.skipif(os.name == "nt", reason="links, pipes and modes are POSIX's")


@posix
@pytest.mark.parametrize("exists", [False, True])
def test_links_stay_links(tmp_path, exists):
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real.json", tmp_path / "link.json"
    if exists:
        state.write(real, {"w": 2.0})
    link.symlink_to(real)
    state.write(link, PARAMETERS)
    assert link.is_symlink() and state.read(real) == PARAMETERS
    assert [file.name for file in real.parent.iterdir()] == ["real.json"]
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(OSError) as caught:  # noqa: PT011 # its text is the system's
        state.write(link, PARAMETERS)
    assert caught.value.errno == errno.ELOOP and caught.value.filename == str(link)


@posix
def test_a_new_file_has_the_mode_of_the_umask_and_keeps_the_one_it_is_given(tmp_path):
    path = tmp_path / "net.json"
    umask = os.umask(0o027)
    try:
        state.write(path, PARAMETERS)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        for mode in (0o600, 0o664, 0o755):
            path.chmod(mode)
            state.write(path, PARAMETERS)
            assert stat.S_IMODE(path.stat().st_mode) == mode
    finally:
        os.umask(umask)


@posix
def test_nobody_can_open_what_will_be_private(tmp_path, monkeypatch):
    path, modes = tmp_path / "net.json", []
    state.write(path, PARAMETERS)
    path.chmod(0o600)
    monkeypatch.setattr(os, "fsync", lambda descriptor: modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode)))
    state.write(path, PARAMETERS)
    assert modes == [0o600]


def test_a_file_that_must_not_be_written_is_left(tmp_path, monkeypatch):
    path = tmp_path / "net.json"
    state.write(path, PARAMETERS)
    monkeypatch.setattr(os, "access", lambda asked, mode: (asked, mode) != (path, os.W_OK))  # root may do everything
    with pytest.raises(PermissionError) as caught:
        state.write(path, {"w": 2.0})
    assert caught.value.filename == str(path) and state.read(path) == PARAMETERS


@posix
def test_planted_links_are_not_followed(tmp_path, monkeypatch):
    path, victim = tmp_path / "net.json", tmp_path / "victim"
    victim.write_text("mine")
    monkeypatch.setattr(os, "urandom", bytes)  # as if it could be foreseen
    (tmp_path / f".net.json.{bytes(8).hex()}.tmp").symlink_to(victim)
    with pytest.raises(FileExistsError) as caught:
        state.write(path, PARAMETERS)
    assert caught.value.filename == str(path) and victim.read_text() == "mine" and not path.exists()


@posix
def test_pipes_and_devices_are_written_to(tmp_path):
    pipe, link, found = tmp_path / "pipe", tmp_path / "link", []
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    reader = threading.Thread(target=lambda: found.append(state.read(pipe)))
    reader.start()
    state.write(link, PARAMETERS)
    reader.join()
    assert found == [PARAMETERS] and stat.S_ISFIFO(pipe.stat().st_mode)
    state.write(os.devnull, PARAMETERS)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@posix
def test_permissions_that_a_file_system_does_not_have(tmp_path, monkeypatch):
    path = tmp_path / "net.json"
    state.write(path, PARAMETERS)

    def refuse(*arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    state.write(path, {"w": 2.0})
    assert state.read(path) == {"w": 2.0}


def test_a_good_file(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(GOOD, encoding="utf-8-sig")  # some editors put a mark before it
    assert state.read(path) == {"w": 1.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON: Expecting value"),
        ("import os", "it is not JSON: Expecting value"),
        (b"\x80\x04\x95\x10", "it is not JSON: 'utf-8' codec can't decode"),  # a pickle
        (GOOD[:-1], "it is not JSON: Expecting ',' delimiter"),
        ("[" * 100_000, "it is not JSON: maximum recursion depth exceeded"),
        (GOOD.replace("1.5", "9" * 5000), "it is not JSON: Exceeds the limit"),
        (GOOD.replace("1.5", "NaN"), "it is not JSON: NaN is not a number in JSON"),
        (GOOD.replace("1.5", "-Infinity"), "it is not JSON: -Infinity is not a number in JSON"),
        (GOOD.replace('"w": 1.5', '"w": 1.5, "w": 2.5'), "it is not JSON: a name appears twice in one object"),
        ("[]", "it is not the file of a model: expected 'format' to be 'microgrid'"),
        ("{}", "it is not the file of a model: expected 'format' to be 'microgrid'"),
        (GOOD.replace("microgrid", "torch"), "it is not the file of a model: expected 'format' to be 'microgrid'"),
        (GOOD.replace("1,", "2,"), "its version is 2, expected 1"),
        (GOOD.replace("1,", "true,"), "its version is True, expected 1"),
        (GOOD.replace("1,", "1.0,"), "its version is 1.0, expected 1"),
        (GOOD.replace("version", "revision"), "its version is None, expected 1"),
        (
            GOOD.replace("parameters", "weights"),
            "expected 'format', 'version' and an object 'parameters', got ['format',",
        ),
        (
            GOOD.replace('{"w": 1.5}', "[1.5]"),
            "expected 'format', 'version' and an object 'parameters', got ['format',",
        ),
        (GOOD[:-1] + ', "code": "x"}', "expected 'format', 'version' and an object 'parameters', got ['format',"),
        (GOOD.replace("1.5", '"1.5"'), "w is not a number: str '1.5'"),
        (GOOD.replace("1.5", "[1.5]"), "w is not a number: list [1.5]"),
        (GOOD.replace("1.5", "true"), "w is not a number: bool True"),
        (GOOD.replace("1.5", "null"), "w is not a number: NoneType None"),
        (GOOD.replace("1.5", "1e999"), "w is inf: a file can contain finite numbers only"),
        (GOOD.replace("1.5", "1" + "0" * 400), "w is too large for a float"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    path = tmp_path / "net.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        state.read(path)
