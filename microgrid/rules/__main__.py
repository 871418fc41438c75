"""`python microgrid/rules`, or `make generate`: writes what is made of the calculus table.

The package is not imported, since it imports what is written here, which may be broken or gone.
"""

if __name__ == "__main__":
    import sys
    from pathlib import Path
    from types import ModuleType

    package = ModuleType("microgrid")  # in its place one that finds the rooms, and imports nothing
    package.__path__ = [str(Path(__file__).resolve().parent.parent)]
    sys.modules["microgrid"] = package

    from microgrid.rules.generate import write

    write()
