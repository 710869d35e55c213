# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in texts of others: every spelling of them, and taking them out. Pure. Private to the collection."""

from __future__ import annotations

import html
import json
import re
import typing as t
from urllib.parse import quote, quote_plus

from ansible_collections.proxkit.tasks.plugins.module_utils._model.grammar import MASK


def spellings(secret: str) -> set[str]:
    """A secret as it stands, and as URLs, forms, pages, JSON and Python write it."""
    raw = secret.encode("utf-8", "surrogatepass")
    encoded = quote(raw, safe="")
    return {
        secret,
        encoded,
        re.sub("%..", lambda match: match[0].lower(), encoded),
        quote(raw),
        quote_plus(raw),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        # The texts of foreign exceptions.
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        repr(raw)[2:-1],
    }


def longest_first(secrets: t.Iterable[str]) -> list[str]:
    """All spellings of these secrets in the order in which they have to be replaced; an empty text is no secret."""
    forms = {form for secret in secrets if secret for form in spellings(secret)}
    return sorted(forms, key=len, reverse=True)


def masked(text: str, secrets: t.Iterable[str]) -> str:
    """A text without these secrets, in whatever spelling it has them."""
    for form in longest_first(secrets):
        text = text.replace(form, MASK)
    return text
