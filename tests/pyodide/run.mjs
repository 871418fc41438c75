// Installs wheels in Pyodide, and runs there the doctests of microgrid and checks.py, which stands beside this file:
//
//     node tests/pyodide/run.mjs FOLDER [arguments for pytest]
//
// In FOLDER are the npm package of Pyodide, in node_modules, and the wheels of microgrid and of pytest, in wheels.
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...options] = process.argv.slice(2);
const place = pathToFileURL(resolve(folder, "node_modules", "pyodide", "pyodide.mjs"));
const { loadPyodide } = await import(place.href);
const pyodide = await loadPyodide({ env: { HOME: "/home/pyodide", COLUMNS: "100" } });

const wheels = resolve(folder, "wheels");
const names = readdirSync(wheels).filter((name) => name.endsWith(".whl"));
const messages = [];
const loaded = await pyodide.loadPackage(names.map((name) => join(wheels, name)), {
  messageCallback: (message) => messages.push(message),
  errorCallback: (message) => messages.push(message),
});
if (names.length === 0 || loaded.length !== names.length) {
  console.error(`Pyodide installed ${loaded.length} of ${names.length} wheels of ${wheels}`, ...messages);
  process.exit(1);
}

pyodide.FS.writeFile("checks.py", readFileSync(new URL("checks.py", import.meta.url)));
pyodide.globals.set("options", pyodide.toPy(options));
const status = await pyodide.runPythonAsync(`
import importlib.util
from pathlib import Path

import pytest

package = Path(importlib.util.find_spec("microgrid").origin).parent
int(pytest.main([
    "checks.py", str(package), "--doctest-modules", f"--ignore={package / 'testing'}",  # whose examples need Hypothesis
    "--import-mode=importlib", "--strict-config", "-p", "no:cacheprovider", "-W", "error", "-q", *options,
]))
`);
console.log(`This was Python ${pyodide.runPython("import sys; sys.version.split()[0]")} in Pyodide ${pyodide.version}.`);
process.exit(status);
