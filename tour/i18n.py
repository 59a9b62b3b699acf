"""UI strings by key, in English and Simplified Chinese, from ``strings/en.toml`` and ``strings/zh.toml``."""

from __future__ import annotations

import locale
import os
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

Lang = Literal["en", "zh"]


@cache
def strings(lang: Lang) -> dict[str, str]:
    """All strings of one language, keys flattened with dots."""
    text = resources.files("tour").joinpath(f"strings/{lang}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", str(value)))
    return pairs


def t(lang: Lang, key: str, /, **values: Any) -> str:
    """The string ``key`` in ``lang`` with ``{name}`` filled in. Raises KeyError for an unknown key."""
    return strings(lang)[key].format(**values)


def default_language() -> Lang:
    """From VHOST_TOUR_LANG, else the locale's messages: zh* is Chinese, anything else English."""
    wanted = os.environ.get("VHOST_TOUR_LANG") or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES")
    wanted = wanted or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "zh" if wanted.lower().startswith("zh") else "en"
