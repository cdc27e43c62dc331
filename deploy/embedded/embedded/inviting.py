"""`dealwright invite`: the way back in for whoever holds the data folder, when nobody can sign in to invite."""

from __future__ import annotations

from rich.console import Console

from chassis.errors import NotFound
from embedded.inspection import runtimes


def invite(login: str) -> int:
    """Prints a one-time link for a login or "people/...". Exit status 1 where there is none, or no database."""
    from directory.usecases import invitations

    console = Console(highlight=False, soft_wrap=True)
    mine = next((one for one in runtimes() if one.service.name == "directory"), None)
    if mine is None:
        console.print(
            "no directory here: set DATA, or DEALWRIGHT_DATABASE_URL_DIRECTORY. "
            "此处没有人员数据库：请设置 DATA 或 DEALWRIGHT_DATABASE_URL_DIRECTORY。",
            style="red",
            markup=False,
        )
        return 1
    try:
        with mine.transaction() as tx:
            made = invitations.hand_out(tx, login.strip() if "/" in login else login.strip().lower())
    except NotFound as problem:
        console.print(f"{problem.english} {problem.chinese}", style="red", markup=False)
        return 1
    finally:
        mine.database.dispose()
    until = made.expires.astimezone().strftime("%Y-%m-%d %H:%M")
    console.print(
        f"Open this link once, until {until}, and set a password. 请在 {until} 前打开此链接设置密码，仅可使用一次："
    )
    print(made.link)
    return 0
