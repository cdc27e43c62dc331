"""Build hook: generates the Python modules, stubs and the descriptor set from the .proto files."""

from __future__ import annotations

import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GenerateProtobuf(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        from google.api import annotations_pb2
        from grpc_tools import protoc

        root = Path(self.root)
        gen = root / "gen"
        shutil.rmtree(gen, ignore_errors=True)
        (gen / "dealwright").mkdir(parents=True)
        sources = sorted(str(p.relative_to(root)) for p in root.glob("dealwright/**/*.proto"))
        bin_dir = Path(sys.executable).parent
        suffix = ".exe" if sys.platform == "win32" else ""
        well_known = files("grpc_tools") / "_proto"
        google_api = Path(annotations_pb2.__file__).parent.parent.parent
        code = protoc.main(
            [
                "protoc",
                f"-I{root}",
                f"-I{well_known}",
                f"-I{google_api}",
                f"--plugin=protoc-gen-mypy={bin_dir / ('protoc-gen-mypy' + suffix)}",
                f"--plugin=protoc-gen-mypy_grpc={bin_dir / ('protoc-gen-mypy_grpc' + suffix)}",
                f"--python_out={gen}",
                f"--grpc_python_out={gen}",
                f"--mypy_out={gen}",
                f"--mypy_grpc_out={gen}",
                "--include_imports",
                "--include_source_info",
                f"--descriptor_set_out={gen / 'dealwright' / 'descriptors.binpb'}",
                *[str(root / s) for s in sources],
            ]
        )
        if code != 0:
            raise RuntimeError(f"protoc failed with exit code {code}")
        (gen / "dealwright" / "py.typed").touch()
