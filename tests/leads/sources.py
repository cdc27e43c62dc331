"""Who writes a table, read from the source of a service."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_STATEMENTS = frozenset({"update", "insert", "delete"})
_IN_SETS = frozenset({"update_rows", "insert_rows", "insert_at_end", "Insert"})


def writers(tree: ast.Module, table: str) -> set[str]:
    """The functions that write the table (of `storage.tables`), under whatever name it was imported."""
    names = _names(tree, table)
    text = re.compile(rf"\b(update|insert\s+into|delete\s+from)\s+\"?{table}\b", re.IGNORECASE)
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if (isinstance(node, ast.Call) and _writes(node, names, table))
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and text.search(node.value))
    }


def called(tree: ast.Module) -> set[str]:
    """The names of the functions and methods that are called."""
    return {_last(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def replaced(tree: ast.Module) -> set[str]:
    """The fields that `replace` gives new values."""
    return {
        word.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _last(node.func) == "replace"
        for word in node.keywords
        if word.arg
    }


def _names(tree: ast.Module, table: str) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("storage.tables")
        for alias in node.names
        if alias.name == table
    }


def _writes(call: ast.Call, names: set[str], table: str) -> bool:
    function = _last(call.func)
    if function in _IN_SETS:
        return any(_is(argument, names, table) for argument in _arguments(call))
    if function not in _STATEMENTS:
        return False
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    if _is(of, names, table):
        return True
    # sa.update(table), but not held.update(table): a module's function, or a bare one.
    module = of is None or (isinstance(of, ast.Name) and of.id in ("sa", "sqlalchemy", "postgresql", "sqlite"))
    return module and any(_is(argument, names, table) for argument in _arguments(call))


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (word.value for word in call.keywords)


def _is(node: ast.expr | None, names: set[str], table: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names
    return isinstance(node, ast.Attribute) and node.attr == table and _last(node.value) == "tables"


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
