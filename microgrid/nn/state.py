"""The parameters of a model as plain data: checked, written to a JSON file, read back.

A file contains `{"format": "microgrid", "version": 1, "parameters": {name: number, …}}` and nothing else; reading one
never executes anything. Floats come back bit for bit. JSON has neither inf nor nan, so these are neither written nor
read: a model that has diverged does not replace the file of an earlier, healthy one.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
import time
from contextlib import suppress

from microgrid.engine.messages import brief
from microgrid.engine.numbers import is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Path = str | os.PathLike[str]

FORMAT, VERSION = "microgrid", 1
SUFFIX = ".tmp"  # of temporary files, which are renamed when they are complete
LONG_AGO = 3600.0  # seconds: no file takes that long to write, so an older temporary one is a leftover


def as_float(name: str, number: Any) -> float:
    """Return `number` as a float.

    Raises:
        ValueError: if it is not a real number (a bool does not count as one), or too large.
    """
    if not is_number(number) or isinstance(number, bool):
        raise ValueError(f"{name} is not a number: {type(number).__name__} {brief(number)}")
    try:
        return float(number)
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None


def fitting(state: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    """Return the numbers of `state` in the order of `names`.

    Raises:
        TypeError: if `state` is not a dict.
        ValueError: if names are missing or unknown, or a value is not a number.
    """
    if not isinstance(state, dict):
        raise TypeError(f"expected a dict of numbers by name, got {type(state).__name__} {brief(state)}")
    known = {*names}
    for fault, wrong in (
        ("the state lacks", [name for name in names if name not in state]),
        ("the model has no use for", [name for name in state if name not in known]),
    ):
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise ValueError(f"{fault} {brief(wrong[0])}{more}")
    return [as_float(name, state[name]) for name in names]


def require_finite(parameters: Mapping[str, float]) -> None:
    """Check that `parameters` can be written to a file.

    Raises:
        ValueError: if one is inf or nan.
    """
    for name, number in parameters.items():
        if not math.isfinite(number):
            raise ValueError(f"{name} is {number}: a file can contain finite numbers only")


def write(path: Path, parameters: Mapping[str, float]) -> None:
    """Write a file of `parameters`, atomically: readers of `path` find the old file or the new one.

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
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None  # the error names the temporary file


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`: atomically, if that is a regular file or new.

    Links are followed; the file at the end is replaced, and keeps its permissions.

    Raises:
        OSError: if that fails; a regular file is left as it was.
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
    mode = 0o666 if former is None else 0o600  # the old file may be private: its permissions come later
    try:
        # Mode "x" follows no link and opens no existing file, so a link planted at this path cannot redirect the data.
        with open(temporary, "x", encoding="utf-8", opener=lambda file, flags: os.open(file, flags, mode)) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if former is not None:
            with suppress(OSError):  # not every file system has permissions
                os.chmod(temporary, stat.S_IMODE(former.st_mode))
        os.replace(temporary, os.path.join(folder, name))
    finally:
        with suppress(OSError):  # it has been renamed, or was never made
            os.unlink(temporary)


def prefix(name: str) -> str:
    """Return the prefix of temporary files for `name`; it is cut, since the length of file names is limited."""
    return f".{name[:40]}."


def remove_leftovers(folder: str, name: str) -> None:
    """Remove from `folder` temporary files for `name` that were left behind long ago, by processes that were killed."""
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
        ValueError: with the reason, if it is not such a file.
    """
    with open(path, "rb") as file:
        text = file.read()
    try:
        content = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"it is not the file of a model: expected 'format' to be {FORMAT!r}")
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(f"its version is {brief(version)}, expected {VERSION}")
    parameters = content.get("parameters")
    if len(content) != 3 or not isinstance(parameters, dict):
        raise ValueError(f"expected 'format', 'version' and an object 'parameters', got {brief([*content])}")
    numbers = {name: as_float(name, number) for name, number in parameters.items()}
    require_finite(numbers)  # 1e999 is valid JSON, and becomes inf
    return numbers


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the dict of `pairs`.

    Raises:
        ValueError: if a name appears twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name appears twice in one object")
    return found


def refuse(constant: str) -> None:
    """Reject inf and nan, which Python's `json` accepts and the standard does not.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is not a number in JSON")
