# Copyright (c) 2026, proxkit.tasks contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials of an archive, in CycloneDX 1.6: what the collection needs where it runs.

None of it is in the archive, so there are ranges instead of versions. Everything in it comes from the archive's own
files and the time given, so it is the same for the same archive.
"""

from __future__ import annotations

import datetime
import hashlib
import pathlib
import sys
import typing as t
import uuid

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

# The index has them as free text; these are SPDX expressions.
LICENCES = {"ansible-core": "GPL-3.0-or-later", "proxmoxer": "MIT", "requests": "Apache-2.0"}


def bill(archive: pathlib.Path, galaxy: t.Mapping[str, t.Any], needed: t.Iterable[Requirement], epoch: int) -> str:
    """The document for an archive of the collection that ``galaxy`` (its ``galaxy.yml``) describes."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    name = f"{galaxy['namespace']}.{galaxy['name']}"
    collection = Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=galaxy["version"],
        description=galaxy["description"],
        bom_ref=name,
        purl=PackageURL("generic", galaxy["namespace"], galaxy["name"], galaxy["version"]),
        licenses=[LicenseFactory().make_from_string(expression) for expression in galaxy["license"]],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        external_references=[
            ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(galaxy["repository"])),
            ExternalReference(type=ExternalReferenceType.ISSUE_TRACKER, url=XsUri(galaxy["issues"])),
        ],
    )
    packages = [component(requirement) for requirement in needed]
    built = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    document = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{galaxy['repository']}#sha256:{digest}"),
        metadata=BomMetaData(component=collection, timestamp=built),
        components=packages,
    )
    document.register_dependency(collection, packages)
    text: str = JsonV1Dot6(document).output_as_string(indent=2)
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error:
        sys.exit(f"the bill of materials is not valid: {error}")
    return f"{text}\n"


def component(requirement: Requirement) -> Component:
    """A package of the Python index that is needed, with the versions that will do."""
    return Component(
        type=ComponentType.LIBRARY,
        name=requirement.name,
        bom_ref=requirement.name,
        purl=PackageURL("pypi", None, requirement.name),
        licenses=[LicenseFactory().make_from_string(LICENCES[requirement.name])],
        properties=[Property(name="proxkit:versions", value=str(requirement.specifier) or "any")],
    )
