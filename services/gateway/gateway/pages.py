"""The small page at `/`, until the web client takes its place."""

from __future__ import annotations

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
