"""Programs of the system that a test runs: installed where we may, named in one line where not. Nothing is skipped."""

from __future__ import annotations

import shutil

import pytest

from chassis.testing.packages import install
from chassis.testing.process import MissingPart


def program(name: str, package: str) -> str:
    """The path of a program, after installing its Debian package if need be. Fails the test in one line otherwise."""
    try:
        if shutil.which(name) is None:
            install(name, package, lambda: shutil.which(name) is not None)
    except MissingPart as missing:
        pytest.fail(str(missing), pytrace=False)
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name}: the package {package} came without it", pytrace=False)
    return found
