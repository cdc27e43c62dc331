"""Each lint rule of our own, with a line that it must refuse and one that it must let pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUFF = Path(sys.executable).parent / "ruff"

# What reads the clock or throws a die, as people write it.
CHANCE = [
    "from datetime import UTC, datetime\n\nnow = datetime.now(UTC)\n",
    "import datetime\n\nnow = datetime.datetime.now(datetime.UTC)\n",
    "from datetime import datetime\n\nnow = datetime.utcnow()\n",
    "from datetime import datetime\n\nnow = datetime.today()\n",
    "from datetime import date\n\ntoday = date.today()\n",
    "import time\n\nnow = time.time()\n",
    "from time import time\n\nnow = time()\n",
    "import time\n\nnow = time.time_ns()\n",
    "import uuid\n\nname = uuid.uuid4()\n",
    "from uuid import uuid1\n\nname = uuid1()\n",
    "import uuid\n\nname = uuid.uuid7()\n",
    "import uuid_utils\n\nname = uuid_utils.uuid7()\n",
    "import random\n\ndie = random.random()\n",
    "from secrets import token_hex\n\nkey = token_hex()\n",
]
PURE = [
    "from chassis import clock, ids\n\nnow, name, key = clock.now(), ids.new_id(), ids.new_secret()\n",
    "from datetime import UTC, datetime\n\nthen = datetime.fromtimestamp(0, UTC)\n",
    "import time\n\nstarted = time.monotonic()\n",
]


def banned(text: str, path: str) -> int:
    """How often TID251 fires on `text` as the file `path` of this repository."""
    words = [
        str(RUFF),
        "check",
        "--no-cache",
        "--select",
        "TID251",
        "--output-format",
        "concise",
        "--stdin-filename",
        path,
    ]
    done = subprocess.run([*words, "-"], cwd=ROOT, input=text, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.count(" TID251 ")


@pytest.mark.parametrize("text", CHANCE)
def test_nobody_reads_the_clock_or_throws_a_die_but_the_two_places_for_it(text: str) -> None:
    for path in (
        "services/rules/rules/domain/steps.py",
        "services/gateway/gateway/limits.py",
        "chassis/chassis/bus/a.py",
    ):
        assert banned(text, path) >= 1
    for path in ("chassis/chassis/clock.py", "chassis/chassis/ids.py", "tests/rules/story.py", "loadtests/stepped.py"):
        assert banned(text, path) == 0


@pytest.mark.parametrize("text", PURE)
def test_what_asks_the_two_places_or_measures_a_duration_passes(text: str) -> None:
    assert banned(text, "services/rules/rules/domain/steps.py") == 0


NAMES = ROOT / ".ci" / "names.py"


def nameless(folder: Path) -> list[str]:
    done = subprocess.run([sys.executable, NAMES, folder], capture_output=True, text=True)
    found = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert done.returncode == (1 if found else 0), done.stderr
    return found


def test_a_module_that_is_called_by_nothing_is_found_wherever_it_is(tmp_path: Path) -> None:
    sound = ["services/leads/leads/domain/matching.py", "chassis/chassis/database.py", "tests/chassis/common.yaml"]
    wrong = [
        "chassis/chassis/helpers.py",
        "deploy/core/start.py",
        "services/gateway/gateway/common.py",
        "services/gateway/gateway/doors/http_utils.py",
        "tests/_helpers.py",
    ]
    for name in (*sound, "proto/gen/utils.py", ".venv/lib/utils.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert nameless(tmp_path) == []
    for name in wrong:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(nameless(tmp_path)) == ["chassis/chassis/helpers.py", "deploy/core", *wrong[2:]]


def test_make_lint_asks_for_names() -> None:
    assert ".ci/names.py" in (ROOT / ".ci/lint.py").read_text()
    assert nameless(ROOT) == []
