"""The data folder: one process at a time, its owner alone; and the commands ask where `up` listens."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from chassis.testing.kernel import Port
from tests.journeys.test_command import CHINESE, the_line

PASSWORD = "holding the folder"


class Up:
    """`dealwright up` as a process, over TLS, under a name that is not this machine's."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "made" / "data"
        server = trustme.CA().issue_cert("crm.example.com")
        chain, key = folder / "chain.pem", folder / "key.pem"
        for part in server.cert_chain_pems:
            part.write_to_path(str(chain), append=True)
        server.private_key_pem.write_to_path(str(key))
        self._ports = [Port(), Port()]
        http, front = (str(port.number) for port in self._ports)
        self.doors = {"PORT": http, "GRPC_PORT": front, "TLS_CERT": str(chain), "TLS_KEY": str(key)}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DEALWRIGHT_", "HOST"))}
        self.env = {**kept, "DATA": str(self.data), "DEALWRIGHT_ADMIN_PASSWORD": PASSWORD, **self.doors}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> int:
        """Its process id, once it answers."""
        words = [sys.executable, "-m", "embedded.command", "up"]
        # As lax as a login shell may be.
        self.process = subprocess.Popen(words, env=self.env, stdout=subprocess.DEVNULL, text=True, umask=0o022)
        end = time.monotonic() + 60
        while not self.answers():
            assert self.process.poll() is None
            assert time.monotonic() < end, "it was not ready within 60 s"
            time.sleep(0.1)
        return self.process.pid

    def answers(self) -> bool:
        try:
            url = f"https://127.0.0.1:{self.doors['PORT']}/readyz"
            with urllib.request.urlopen(url, timeout=2, context=ssl._create_unverified_context()) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def run(self, *verb: str, **settings: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "embedded.command", *verb]
        return subprocess.run(words, env={**self.env, **settings}, capture_output=True, text=True, timeout=60)

    def open_to_others(self) -> list[str]:
        """Names in the data folder, and the folder itself, that somebody else may read."""
        every = [self.data, *self.data.iterdir()]
        return [path.name for path in every if stat.S_IMODE(path.stat().st_mode) & 0o077]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    made = Up(tmp_path_factory.mktemp("up"))
    made.start()
    yield made
    made.kill()


def test_U1_a_new_data_folder_and_its_files_are_their_owners_alone(up: Up) -> None:
    assert up.open_to_others() == []
    assert "leads.db" in {path.name for path in up.data.iterdir()}


def test_U1_a_second_process_on_the_same_data_is_refused_in_one_line_that_names_the_first(
    up: Up, tmp_path: Path
) -> None:
    assert up.process is not None
    holder = f"process {up.process.pid}"
    line = the_line(up.run("up", PORT="0", GRPC_PORT="0"))
    assert holder in line
    assert str(up.data) in line
    assert up.run("backup", str(tmp_path / "kept.tar.gz")).returncode == 0
    assert holder in the_line(up.run("restore", str(tmp_path / "kept.tar.gz")))
    assert up.answers()


def test_U1_the_data_of_a_killed_process_is_free_at_once(up: Up) -> None:
    up.kill()
    (up.data / "leads.db").chmod(0o644)
    up.start()
    assert len(list(up.data.glob("*.db*"))) >= 8
    assert up.open_to_others() == [], "nor is a database of an earlier release left open to others"


def test_U1_what_is_restored_is_its_owners_alone_and_starts(up: Up, tmp_path: Path) -> None:
    kept = tmp_path / "kept.tar.gz"
    assert up.run("backup", str(kept)).returncode == 0
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with tarfile.open(kept) as archive, tarfile.open(tmp_path / "open.tar.gz", "w:gz") as opened:
        for member in archive:
            member.mode = 0o666
            opened.addfile(member, archive.extractfile(member))
    data = tmp_path / "elsewhere"
    done = up.run("restore", str(tmp_path / "open.tar.gz"), DATA=str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    other = Up.__new__(Up)
    other.data = data
    assert {path.name for path in data.iterdir()} >= {"leads.db", "rules.db", "token.key"}
    assert other.open_to_others() == []
    assert "databases already" in the_line(up.run("restore", str(kept), DATA=str(data)))
    assert up.run("doctor", DATA=str(data)).returncode == 0


@pytest.mark.parametrize("cut", [None, 2000])
def test_U1_what_is_no_backup_is_told_in_one_line_and_leaves_nothing(up: Up, tmp_path: Path, cut: int | None) -> None:
    file, data = tmp_path / "garbage.tgz", tmp_path / "empty"
    assert up.run("backup", str(file)).returncode == 0
    file.write_bytes(b"garbage" if cut is None else file.read_bytes()[:-cut])
    line = the_line(up.run("restore", str(file), DATA=str(data)))
    assert "garbage.tgz is no backup" in line
    assert [path.name for path in data.iterdir()] == [".lock"]


def test_U1_apply_and_simulate_ask_where_up_listens(up: Up, tmp_path: Path) -> None:
    blueprint = tmp_path / "blueprint.yaml"
    blueprint.write_text("version: 1\n")
    done = up.run("apply", "--validate-only", str(blueprint))
    assert (done.returncode, done.stdout) == (0, "0 would change.\n"), done.stdout + done.stderr
    everywhere = up.run("apply", "--validate-only", str(blueprint), HOST="0.0.0.0")
    assert everywhere.returncode == 0, everywhere.stdout + everywhere.stderr
    # Another's certificate on that port is not believed, nor ours at an address that was given.
    server, another = trustme.CA().issue_cert("crm.example.com"), tmp_path / "another.pem"
    server.cert_chain_pems[0].write_to_path(str(another))
    own = f"https://127.0.0.1:{up.doors['PORT']}"
    for settings in ({"TLS_CERT": str(another)}, {"DEALWRIGHT_URL": own}):
        assert "CERTIFICATE_VERIFY_FAILED" in the_line(up.run("apply", str(blueprint), **settings))
    closed = Port()
    line = the_line(up.run("simulate", str(blueprint), PORT=str(closed.number), HOST="127.0.0.2"))
    assert f"no Dealwright answers at https://127.0.0.2:{closed.number}:" in line
    closed.close()
    assert "set DEALWRIGHT_URL" in the_line(up.run("apply", str(blueprint), PORT="0"))


@pytest.mark.parametrize("verb", ["apply", "simulate"])
def test_U1_help_says_which_address_is_asked(up: Up, verb: str) -> None:
    said = " ".join(up.run(verb, "--help", COLUMNS="200").stdout.split())
    assert "DEALWRIGHT_URL, or else where `up` listens: HOST (127.0.0.1), PORT (8080), https with TLS_CERT" in said


@pytest.mark.parametrize("verb", ["apply", "simulate"])
def test_U1_a_file_that_is_no_yaml_is_one_line(up: Up, tmp_path: Path, verb: str) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1,\nb: }")
    line = the_line(up.run(verb, str(broken)))
    assert "broken.yaml is no YAML" in line
    assert CHINESE.search(line)
