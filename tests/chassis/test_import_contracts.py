"""Each contract of .importlinter on a small house of its own: sound, it passes; with one wrong import, it fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "chassis",
    "directory",
    "leads",
    "rules",
    "customers",
    "opportunities",
    "activities",
    "contracts",
    "gateway",
    "embedded",
)

SOUND = {
    "chassis/clock.py": "",
    "chassis/database.py": "from chassis import clock\n",
    "chassis/service.py": "from chassis import database\nfrom chassis.bus import publisher\n",
    "chassis/bus/publisher.py": "import kombu\n",
    "chassis/bus/worker.py": "import kombu, nameko, eventlet\nfrom chassis.bus import publisher\n",
    "chassis/testing/parts.py": "",
    "leads/main.py": "from leads import servicer, subscribers\n",
    "leads/servicer.py": "import grpc\nfrom leads import peers, usecases, wire, domain\n",
    "leads/subscribers.py": "from leads import usecases, wire\n",
    "leads/peers.py": "import grpc\nfrom leads import wire\n",
    "leads/usecases.py": "from leads import storage, wire, domain\n",
    "leads/storage.py": "import sqlalchemy\nfrom leads import domain\n",
    "leads/wire.py": "from dealwright.leads.v1 import leads_pb2\nfrom leads import domain\n",
    "leads/domain.py": "from chassis import clock\n",
    "leads/migrations/first.py": "from leads import storage\n",
    "rules/domain.py": "",
    "gateway/main.py": "from gateway import doors\n",
    "gateway/doors/rest.py": "import grpc\nfrom gateway import peers, servicer, settings, wire\n",
    "gateway/peers/channels.py": "import grpc\n",
    "gateway/servicer.py": "from gateway import peers, usecases, wire\n",
    "gateway/storage.py": "",
    "gateway/subscribers.py": "from gateway import settings, usecases\n",
    "gateway/settings.py": "",
    "gateway/usecases.py": "from gateway import storage, wire\n",
    "gateway/wire.py": "",
    "embedded/command.py": "from leads import main\nfrom chassis.testing import parts\n",
}

# contract, the file that breaks it, the line in it
WRONG = [
    ("house", "rules/usecases.py", "from leads import domain"),
    ("house", "chassis/rpc.py", "from leads import domain"),
    ("house", "gateway/doors/pages.py", "import embedded"),
    ("service", "leads/domain.py", "from leads import wire"),
    ("service", "leads/storage.py", "from leads import wire"),
    ("service", "leads/usecases.py", "from leads import peers"),
    ("service", "leads/subscribers.py", "from leads import servicer"),
    ("service", "leads/words.py", "x = 1"),
    ("service", "gateway/pages.py", "x = 1"),
    ("service", "gateway/wire.py", "from gateway import doors"),
    ("service", "gateway/subscribers.py", "from gateway import doors"),
    ("service", "gateway/usecases.py", "from gateway import peers"),
    ("chassis", "chassis/words.py", "x = 1"),
    ("chassis", "chassis/database.py", "from chassis import service"),
    ("peers", "leads/subscribers.py", "from leads import peers"),
    ("peers", "leads/main.py", "from leads import peers"),
    ("peers", "gateway/subscribers.py", "from gateway import peers"),
    ("storage", "leads/servicer.py", "from leads import storage"),
    ("storage", "gateway/subscribers.py", "from gateway import storage"),
    ("domain", "leads/domain.py", "import sqlalchemy"),
    ("domain", "leads/domain.py", "from google.protobuf import timestamp_pb2"),
    ("domain", "leads/domain.py", "from dealwright.leads.v1 import leads_pb2"),
    ("domain", "rules/domain.py", "import grpc"),
    ("nameko", "chassis/bus/local.py", "import nameko"),
    ("nameko", "leads/main.py", "import eventlet"),
    ("kombu", "chassis/bus/local.py", "import kombu"),
    ("kombu", "leads/subscribers.py", "from kombu import Queue"),
    ("serve", "chassis/bus/worker.py", "import grpc"),
    ("testing", "leads/main.py", "from chassis.testing import parts"),
]


def build(house: Path) -> None:
    for name in PACKAGES:
        (house / name).mkdir()
        (house / name / "__init__.py").touch()
    for name, text in SOUND.items():
        file = house / name
        file.parent.mkdir(exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    shutil.copy(ROOT / ".importlinter", house)


# All cases in one process: starting one for each would take most of a minute.
CHECKER = """
import json, pathlib, sys
from importlinter.cli import lint_imports
codes = {}
for contract, file, line in json.loads(sys.stdin.read()):
    module = pathlib.Path(file)
    sound = module.read_text() if module.exists() else None
    module.write_text((sound or "") + line + "\\n")
    chosen = (contract,) if contract else ()
    codes["|".join((contract, file, line))] = lint_imports(limit_to_contracts=chosen, no_cache=True)
    module.unlink() if sound is None else module.write_text(sound)
json.dump(codes, open("codes.json", "w"))
"""


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The exit code of import-linter for each case; the sound house is the case with no contract."""
    house = tmp_path_factory.mktemp("house")
    build(house)
    cases = [("", "leads/domain.py", ""), *WRONG]
    done = subprocess.run(
        [sys.executable, "-c", CHECKER],
        input=json.dumps(cases),
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
    )
    assert (house / "codes.json").exists(), done.stdout + done.stderr
    result: dict[str, int] = json.loads((house / "codes.json").read_text())
    return result


def test_a_sound_house_passes_every_contract(codes: dict[str, int]) -> None:
    assert codes["|leads/domain.py|"] == 0


@pytest.mark.parametrize(("contract", "file", "line"), WRONG)
def test_one_wrong_import_breaks_its_contract(contract: str, file: str, line: str, codes: dict[str, int]) -> None:
    assert codes[f"{contract}|{file}|{line}"] == 1
