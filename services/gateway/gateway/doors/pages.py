"""Small pages: the one at `/`, until the web client takes its place, and what a visitor sees who sent a form."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_TEXTS = {
    "zh": ("zh-CN", "Dealwright", "服务已启动。", "登录：", "接口文档与在线调用", "运行状态", "OpenAPI 描述"),
    "en": ("en", "Dealwright", "It is running.", "Sign in:", "Try the API", "Health", "OpenAPI document"),
}


def front_page(tongue: str) -> str:
    code, title, running, sign_in, docs, health, described = _TEXTS[tongue]
    return f"""<!doctype html>
<html lang="{code}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="/pages.css"></head>
<body><main>
<h1>{title}</h1>
<p>{running}</p>
<p>{sign_in} <code>POST /v1/sessions</code></p>
<ul>
<li><a href="/docs">{docs}</a></li>
<li><a href="/readyz">{health}</a></li>
<li><a href="/openapi.json">{described}</a></li>
</ul>
</main></body></html>
"""


def thanks_page(tongue: str, message: str) -> str:
    return _page(tongue, ("已收到", "It arrived"), f"<p>{escape(message)}</p>")


def refused_page(tongue: str, problem: Mapping[str, Any]) -> str:
    """A problem as a visitor reads it: what is wrong with which field, and that his text is still there."""
    lines = [f"<li>{escape(one['field'])}: {escape(one['message'])}</li>" for one in problem["fields"]]
    listed = f"<ul>{''.join(lines)}</ul>" if lines else f"<p>{escape(problem['detail'])}</p>"
    back = "请返回上一页修改后重新提交。" if tongue == "zh" else "Go back, correct it and send it again."
    return _page(tongue, ("未能提交", "It was not sent"), f'<div role="alert">{listed}</div><p>{back}</p>')


def _page(tongue: str, titles: tuple[str, str], body: str) -> str:
    code, title = ("zh-CN", titles[0]) if tongue == "zh" else ("en", titles[1])
    return f"""<!doctype html>
<html lang="{code}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="/pages.css"></head>
<body><main>
<h1>{title}</h1>
{body}
</main></body></html>
"""
