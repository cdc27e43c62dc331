"""This service's part of the blueprint: {"leads": settings, "forms": {id: form}}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis.errors import Invalid, Stale
from chassis.fields import FieldCheck
from chassis.transaction import Transaction
from leads.domain import form as form_domain
from leads.domain import settings as settings_domain
from leads.domain.form import Form
from leads.domain.settings import LeadSettings
from leads.storage import forms, settings
from leads.wire import forms as form_wire


def read(tx: Transaction) -> tuple[dict[str, Any], int]:
    """The part as it stands, and its version."""
    content, version = settings.load(tx)
    return _plain(content, forms.every(tx)), version


def plan(tx: Transaction, content: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], int]:
    """What applying would change, as (path, before, after) in JSON, and the present version. Raises Invalid."""
    before, version = read(tx)
    after = _plain(*_read(tx, content))
    return sorted(_differences("", before, after)), version


def apply(tx: Transaction, content: Mapping[str, Any], expected_version: int) -> tuple[dict[str, Any], int]:
    """Writes the part. "leads" is all settings, "forms" all forms: what they leave out is deleted, what they name and
    was deleted comes back. Raises Stale, Invalid."""
    before, version = settings.load(tx, lock=True)
    if version != expected_version:
        raise Stale("blueprint")
    changed, wanted = _read(tx, content)
    known = {form.name: form for form in forms.every(tx, deleted=True)}
    kept = {form.name: _next(form, known.get(form.name)) for form in wanted}
    gone = [form for form in known.values() if form.name not in kept and form.delete_time is None]
    new = [form for form in kept.values() if form != known.get(form.name)]
    new += [replace(form, delete_time=tx.now, version=form.version + 1) for form in gone]
    if new:
        tx.principal.require("forms", "write")
    forms.save(tx, new)
    for form in new:
        tx.audit("form.deleted" if form.delete_time else "form.changed", form.name)
    settings.save(tx, changed)
    if changed != before:
        tx.audit("settings.changed", "blueprint/leads", settings_domain.to_plain(changed))
    return read(tx)


def _next(form: Form, known: Form | None) -> Form:
    if known is None:
        return form
    same = replace(form, create_time=known.create_time, version=known.version)
    return same if same == known else replace(same, version=known.version + 1)


def _read(tx: Transaction, content: Mapping[str, Any]) -> tuple[LeadSettings, list[Form]]:
    """Settings and forms as they would be. Raises Invalid naming each wrong path."""
    check = FieldCheck()
    for key in content.keys() - {"leads", "forms"}:
        check.refuse(key, "there is no such part", "没有这个部分")
    changed, _ = settings.load(tx)
    if "leads" in content:
        given = content["leads"]
        if isinstance(given, Mapping):
            changed, wrong = settings_domain.from_plain(given, LeadSettings())
            check.violations.extend(wrong)
        else:
            check.refuse("leads", "must be an object", "须为对象")
    wanted = forms.every(tx)
    if "forms" in content:
        wanted = _forms(tx, content["forms"], check)
    if check.violations:
        raise Invalid(check.violations)
    return changed, wanted


def _forms(tx: Transaction, given: Any, check: FieldCheck) -> list[Form]:
    if not isinstance(given, Mapping) or len(given) > form_domain.MOST_FORMS:
        most = form_domain.MOST_FORMS
        check.refuse("forms", f"must be an object of at most {most} forms", f"须为最多 {most} 个表单的对象")
        return []
    made: list[Form] = []
    for name, plain in given.items():
        form = form_wire.from_plain(name, plain, tx.now, check)
        if form is not None:
            check.violations.extend(form_domain.check(form, f"forms.{name}"))
            made.append(form)
    return made


def _plain(content: LeadSettings, every: list[Form]) -> dict[str, Any]:
    return {
        "leads": settings_domain.to_plain(content),
        "forms": {form.name.removeprefix("forms/"): form_domain.to_plain(form) for form in every},
    }


def _differences(path: str, before: Any, after: Any) -> list[tuple[str, str, str]]:
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            change
            for key in before.keys() | after.keys()
            for change in _differences(f"{path}.{key}" if path else key, before.get(key), after.get(key))
        ]
    return [(path, _json(before), _json(after))]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
