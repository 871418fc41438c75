"""Runs the notebooks of demos/ from scratch, and stores what they show: `make notebooks`.

A notebook is its own source: edit it in JupyterLab, then let this write what is stored. That is the same on every run:
no time, no version, and of the metadata only what the format asks for.
"""

import base64
import io
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).parents[2] / "demos"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def paths() -> list[Path]:
    """Return where the notebooks are."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Return the notebook that is stored there."""
    return nbformat.read(path, as_version=4)


def executed(notebook: NotebookNode) -> NotebookNode:
    """Return `notebook` as a new kernel of this environment leaves it, started in demos/.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell raises.
    """
    client = NotebookClient(
        nbformat.from_dict(notebook),
        timeout=None,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    with TemporaryDirectory() as home:  # not the settings of whoever runs this
        return normalised(client.execute(env={**os.environ, "IPYTHONDIR": home}))


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return `notebook` without what differs from run to run or from program to program."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = small(output.data["image/png"])
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # from which on cells have an id
    return notebook


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return `outputs` with neighbours of the same stream in one: where they were parted is chance."""
    found: list[NotebookNode] = []
    for output in outputs:
        if found and output.output_type == "stream" and found[-1].get("name") == output.name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def small(picture: str) -> str:
    """Return a bitmap in 256 colours, a third of its size, and without what it says about the program that drew it."""
    drawn = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB").quantize()
    file = io.BytesIO()
    drawn.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def texts(notebook: NotebookNode) -> Iterator[tuple[str, str, str]]:
    """Yield what the cells show: the id of the cell, the kind of output, its text; for bitmaps, that there is one."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                yield cell.id, output.name, output.text
            for kind, shown in sorted(output.get("data", {}).items()):
                yield cell.id, kind, "" if kind.startswith("image/png") else shown


def write(notebook: NotebookNode, path: Path) -> None:
    """Store `notebook`."""
    nbformat.write(notebook, path)


def main() -> None:
    """Run and store every notebook."""
    for path in paths():
        write(executed(read(path)), path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
