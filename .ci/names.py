"""Names that do not exist here: a module is called by what it is about, and these say nothing.

python .ci/names.py [folder]     prints each path that has one; fails when there is any
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = frozenset({"util", "utils", "helper", "helpers", "common", "commons", "core", "misc", "stuff"})
# What others made, or what we make again.
_OTHERS = frozenset({"gen", "build", "dist", "var", "node_modules"})


def nameless(root: Path) -> Iterator[Path]:
    """Python files and folders of them with such a name, an underscore before it or a prefix to it included."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _OTHERS and not name.startswith((".", "__")))
        python = sorted(name for name in files if name.endswith(".py"))
        for name in [*folders, *python]:
            if NOWHERE & set(name.removesuffix(".py").lower().split("_")):
                yield (Path(folder) / name).relative_to(root)


def main(words: list[str]) -> int:
    found = list(nameless(Path(words[0]) if words else ROOT))
    for path in found:
        print(f"{path}: call it by the noun that it is about")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
