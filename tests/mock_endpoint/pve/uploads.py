# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are uploaded, as the HTTP server takes them apart: with regular expressions, not by the standard.

Source: ``file_upload_multipart`` in PVE::APIServer::AnyEvent. It wants Content-Disposition to be the first header of
the file's part, which must be the last one, and takes what follows for the file as it is, whatever its encoding.
"""

from __future__ import annotations

import re
import typing as t

from .._messages import ApiError, Request
from .._schema import Params

NEWLINE = "\r?\n"
FOLDER = "/var/tmp"  # noqa: S108 - where the genuine server keeps them: a name in a log, nothing is written there


def uploaded(request: Request) -> Params:
    """The parameters of an upload, the file's name among them; raises ApiError."""
    kind, _separator, rest = request.headers.get("content-type", "").partition(";")
    boundary = re.search(r"(?:^|[;,])\s*boundary\s*=\s*(\S+?)\s*(?:[;,]|$)", rest)
    if kind.strip() != "multipart/form-data" or boundary is None:
        raise ApiError(500, f"upload 'Content-Type '{kind}' not implemented", form="plain")
    mark = re.escape(f"--{boundary[1]}")
    delimiter = mark + NEWLINE
    text = request.body.decode("latin-1")
    text = text[_found(re.search(delimiter, text)).start() :]
    params: Params = {}
    for name in ("content", "checksum-algorithm", "checksum"):
        field = re.match(rf'{delimiter}.*?Content-Disposition: .*?; name="{name}"(.*?{delimiter})', text, re.DOTALL)
        if field:
            text = _behind_headers(text[field.start(1) :])
            end = _found(re.search(delimiter, text)).start()
            params[name], text = text[:end].strip(), text[end:]
    file = _found(re.match(rf'{delimiter}Content-Disposition: .*?; name="(.*?)"; filename="([^"]+)"', text))
    if file[1] != "filename":
        raise ApiError(500, f"wrong field name '{file[1]}' for file upload, expected 'filename'")
    content = _found(re.match(rf"(.*?)(?:{NEWLINE})?{mark}--", _behind_headers(text[file.end() :]), re.DOTALL))[1]
    # Nothing is stored: the size is all that anybody asks for, and the file's name has it.
    return {**params, "filename": file[2].strip(), "tmpfilename": f"{FOLDER}/pveupload-{len(content):032x}"}


def _behind_headers(text: str) -> str:
    return re.sub(f"^.*?(?:{NEWLINE}){{2}}", "", text, count=1, flags=re.DOTALL)


def _found(match: t.Optional[re.Match[str]]) -> re.Match[str]:
    if match is None:
        raise ApiError(500, "upload failed")
    return match
