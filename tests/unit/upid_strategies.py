# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers mint: hypothesis strategies for UPIDs, and the encoder that the collection itself has no use for."""

from __future__ import annotations

import string
import typing as t

from ansible_collections.proxkit.tasks.plugins.module_utils._model.upid import Upid
from hypothesis import strategies as st

ALNUM = string.ascii_letters + string.digits
# What a free field may hold: all but colon, slash, white space, control characters and surrogates.
FREE = st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters=":/")


def escape(text: str) -> str:
    r"""As Backup Server does: ``/`` becomes ``-``, other bytes and a leading ``.`` become ``\xNN``."""
    plain = (ALNUM + "_.").encode()
    escaped = ""
    for index, byte in enumerate(text.encode("utf-8")):
        if byte == ord("/"):
            escaped += "-"
        elif byte in plain and not (index == 0 and byte == ord(".")):
            escaped += chr(byte)
        else:
            escaped += f"\\x{byte:02x}"
    return escaped


def encode(upid: Upid) -> str:
    """The text of a UPID, from its fields alone."""
    fields = ["UPID", upid.node, f"{upid.pid:08X}", f"{upid.pstart:08X}"]
    if upid.task_id is not None:
        fields.append(f"{upid.task_id:08X}")
    task_for = escape(upid.id) if upid.product == "pbs" else upid.id
    fields += [f"{upid.starttime:08X}", upid.type, task_for, upid.authid, upid.comment]
    return ":".join(fields)


def names(first: str) -> st.SearchStrategy[str]:
    """Realms, tokens and remotes: a first character, then letters, digits, ``.``, ``_`` and ``-``."""
    rest = st.text(ALNUM + "._-", max_size=8)
    return st.builds(lambda head, tail: head + tail, st.sampled_from(first), rest)


def nodes() -> st.SearchStrategy[str]:
    """Host names."""
    inner = st.text(ALNUM + "-", max_size=8)
    ends = st.sampled_from(ALNUM)
    return st.one_of(ends, st.builds(lambda first, middle, last: first + middle + last, ends, inner, ends))


@st.composite
def minted(draw: st.DrawFn, product: t.Literal["pve", "pbs"]) -> Upid:
    """A UPID as the product's servers mint it, user names with ``@`` and ``!`` in them included."""
    pbs = product == "pbs"
    name = names(ALNUM + "_" if pbs else string.ascii_letters)
    user = draw(st.text(st.one_of(FREE, st.sampled_from("@!")), min_size=1, max_size=8))
    fields: dict[str, t.Any] = {
        "node": draw(nodes()),
        "pid": draw(st.integers(0, 16**8 - 1)),
        "pstart": draw(st.integers(0, 16**9 - 1)),
        "starttime": draw(st.integers(0, 16**8 - 1)),
        "type": draw(st.text(FREE, min_size=1, max_size=8)),
        "id": draw(st.text(max_size=8) if pbs else st.text(FREE, max_size=8)),
        "user": f"{user}@{draw(name)}",
        "tokenid": draw(st.one_of(st.just(""), name)),
        "comment": "",
        "task_id": draw(st.integers(0, 16**16 - 1)) if pbs else None,
        "product": product,
        "remote": None,
    }
    return Upid(text=encode(Upid(text="", **fields)), **fields)


def any_minted() -> st.SearchStrategy[Upid]:
    """A UPID of either grammar."""
    return st.one_of(minted("pve"), minted("pbs"))


def anything() -> st.SearchStrategy[object]:
    """Any value at all, nested or not, among them texts that are nearly UPIDs."""
    nearly = st.lists(
        st.sampled_from(
            ["UPID", "UPID:", ":", "!", "pve:", "0000A1B2", "root@pam", "/", "\\x3a", "-", " ", "é", "\x00"]
        ),
        max_size=16,
    ).map("".join)
    scalars = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), nearly, st.builds(object)
    )
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.dictionaries(st.one_of(st.text(max_size=8), st.integers(), st.none()), inner, max_size=4),
        ),
        max_leaves=10,
    )
