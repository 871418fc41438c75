"""The numbers of a model as plain data: checked, written to a JSON file, read back.

A file holds `{"format": "microgrid", "version": 1, "parameters": {name: number, …}}` and nothing else; reading one
never executes anything. Floats come back bit for bit. JSON knows no inf and no nan, so neither is written or read: a
model that diverged does not replace the file of one that had not.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
import time
from contextlib import suppress

from microgrid.engine.numbers import is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Path = str | os.PathLike[str]

FORMAT, VERSION = "microgrid", 1
SUFFIX = ".tmp"  # of the files that become those of models
LONG_AGO = 3600.0  # seconds, in which every file is written


def as_float(name: str, number: Any) -> float:
    """Return `number` as a float.

    Raises:
        ValueError: if it is no real number (a truth value is none), or too large.
    """
    if not is_number(number) or isinstance(number, bool):
        raise ValueError(f"{name} is no number: {type(number).__name__} {number!r:.60}")
    try:
        return float(number)
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None


def fitting(state: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    """Return the numbers of `state` in the order of `names`.

    Raises:
        TypeError: if `state` is no dict.
        ValueError: if a name is missing or is there that should not be, or what it names is no number.
    """
    if not isinstance(state, dict):
        raise TypeError(f"expected a dict of numbers by name, got {type(state).__name__} {state!r:.60}")
    known = {*names}
    for fault, wrong in (
        ("the state lacks", [name for name in names if name not in state]),
        ("the model has no use for", [name for name in state if name not in known]),
    ):
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise ValueError(f"{fault} {wrong[0]!r:.60}{more}")
    return [as_float(name, state[name]) for name in names]


def require_finite(parameters: Mapping[str, float]) -> None:
    """Check that a file can hold the numbers of `parameters`.

    Raises:
        ValueError: if one is inf or nan.
    """
    for name, number in parameters.items():
        if not math.isfinite(number):
            raise ValueError(f"{name} is {number}: a file holds finite numbers only")


def write(path: Path, parameters: Mapping[str, float]) -> None:
    """Write a file of `parameters`: whoever reads `path` finds the old file or the new one, never a part of it.

    Raises:
        ValueError: if a number is inf or nan; then nothing is written.
        OSError: naming `path`, if it cannot be written.
    """
    require_finite(parameters)
    text = json.dumps({"format": FORMAT, "version": VERSION, "parameters": parameters}, indent=1)
    try:
        write_text(path, text + "\n")
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None  # not the file that is written first


def write_text(path: Path, text: str) -> None:
    """Let `path` have the content `text`: all at once, if it is a regular file or new; else it is written to.

    A link stays one: what it leads to is replaced, and keeps its permissions.

    Raises:
        OSError: if that cannot be done; then a regular file is left as it was.
    """
    try:
        former = os.stat(path)
    except FileNotFoundError:
        former = None
    if former is not None and not stat.S_ISREG(former.st_mode):  # a device, a pipe
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    if former is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    folder, name = os.path.split(os.path.realpath(path))
    remove_leftovers(folder, name)
    temporary = os.path.join(folder, f"{prefix(name)}{os.urandom(8).hex()}{SUFFIX}")
    mode = 0o666 if former is None else 0o600  # nobody may look into what is about to be private
    try:
        # With the flag of "x" no link is followed, and no file opened that is there.
        with open(temporary, "x", encoding="utf-8", opener=lambda file, flags: os.open(file, flags, mode)) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if former is not None:
            with suppress(OSError):  # on a file system without permissions
                os.chmod(temporary, stat.S_IMODE(former.st_mode))
        os.replace(temporary, os.path.join(folder, name))
    finally:
        with suppress(OSError):  # it is in its place, or was never made
            os.unlink(temporary)


def prefix(name: str) -> str:
    """Return what the names of the files begin with that become the file `name`: of a long one not all fits in."""
    return f".{name[:40]}."


def remove_leftovers(folder: str, name: str) -> None:
    """Remove from `folder` what processes left that were killed while they wrote the file `name`, long ago."""
    begin, before = prefix(name), time.time() - LONG_AGO
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            middle = entry.name.removeprefix(begin).removesuffix(SUFFIX)
            is_ours = len(middle) == 16 and entry.name == begin + middle + SUFFIX
            if is_ours and entry.stat(follow_symlinks=False).st_mtime < before:
                os.unlink(entry)


def read(path: Path) -> dict[str, float]:
    """Return the parameters in a file that `write` wrote.

    Raises:
        ValueError: if it is no such file, with the reason.
    """
    with open(path, "rb") as file:
        text = file.read()
    try:
        content = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"no file of a model: expected 'format' to be {FORMAT!r}")
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(f"its version is {version!r:.60}, expected {VERSION}")
    parameters = content.get("parameters")
    if len(content) != 3 or not isinstance(parameters, dict):
        raise ValueError(f"expected 'format', 'version' and 'parameters', an object, got {[*content]!r:.60}")
    numbers = {name: as_float(name, number) for name, number in parameters.items()}
    require_finite(numbers)  # 1e999 is JSON, and inf
    return numbers


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the dict of `pairs`.

    Raises:
        ValueError: if a name comes twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return found


def refuse(constant: str) -> None:
    """Refuse what Python's `json` would read beyond the standard: inf and nan.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is no number of JSON")
