"""What the same machine does, in the same minutes, with nothing of ours in the way: P1 and G64."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from chassis.testing.postgres import Postgres
from loadtests.driving import ROOT, LoadFailed, drive
from loadtests.generator import Job

_DATABASE = "yardstick"
_TABLES = """
create table people (id int primary key, leads bigint not null);
insert into people select n, 0 from generate_series(1, 50) n;
create table leads (
    id bigint generated always as identity primary key, full_name text not null, phone text not null unique,
    email text not null, company text not null, region text not null, industry text not null,
    category text not null, channel int not null, intent int not null, status int not null, owner int not null,
    capture_time timestamptz not null);
create table outbox (
    id bigint generated always as identity primary key, type text not null, body bytea not null,
    created_at timestamptz not null, published_at timestamptz);
"""
# The phone is the client's number and a count that never goes back: unique over all runs.
_SCRIPT = r"""\set i :i + 1
\set person random(1, 50)
begin;
update people set leads = leads + 1 where id = :person returning leads;
insert into leads (full_name, phone, email, company, region, industry, category, channel, intent, status, owner,
  capture_time) values ('访客', '+86' || (:client_id * 1000000000::bigint + :i), 'v@example.com', '公司有限公司',
  '上海', '机械制造', '轮毂', 1, 1, 3, :person, now());
insert into outbox (type, body, created_at) values ('dealwright.leads.v1.LeadAssigned',
  '\\x0123456789abcdef0123456789abcdef', now());
commit;
"""


class P1:
    """pgbench, 8 clients, one transaction per lead, on this server; plain protocol, as pgbench comes."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._runs = 0
        server.create_database(_DATABASE)
        with psycopg.connect(server.dsn_of(_DATABASE), autocommit=True) as connection:
            connection.execute(_TABLES)

    def measure(self, seconds: int) -> float:
        """Leads a second. Raises LoadFailed unless fsync and synchronous_commit are on and nothing failed."""
        with psycopg.connect(self._server.dsn, autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit"):
                row = connection.execute("select current_setting(%s)", (setting,)).fetchone()
                if row != ("on",):
                    raise LoadFailed(f"P1 needs {setting} on, it is {row}")
        self._runs += 1
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "p1.sql"
            script.write_text(_SCRIPT)
            done = subprocess.run(
                [
                    *(self._server.bin_dir / "pgbench", "--no-vacuum", "--client=8", "--jobs=2", f"--time={seconds}"),
                    *(f"--define=i={self._runs * 10_000_000}", f"--file={script}", "--host=127.0.0.1"),
                    *(f"--port={self._server.port}", "--username=postgres", _DATABASE),
                ],
                capture_output=True,
                text=True,
                timeout=seconds + 60,
            )
        rate = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
        failed = re.search(r"failed transactions: (\d+)", done.stdout)
        if done.returncode or not rate or (failed and failed[1] != "0"):
            raise LoadFailed(f"pgbench: {done.stdout[-500:]}{done.stderr[-500:]}")
        return float(rate[1])

    def drop(self) -> None:
        """Gives back the room it took."""
        self._server.drop_database(_DATABASE)


class G64:
    """A do-nothing unary echo: sync gRPC server in a process of its own, 64 calls in flight, our own generator."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "loadtests.echo"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        self._port = int(self._server.stdout.readline())

    def measure(self, calls: int, token: str = "") -> float:
        """Calls a second; `token` is sent as the captures send theirs."""
        outcome = drive(Job("echo", f"127.0.0.1:{self._port}", token, count=calls))
        return calls / (outcome.ended - outcome.began)

    def stop(self) -> None:
        self._server.communicate(timeout=30)
