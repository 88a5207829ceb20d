"""What an image is made of, as a CycloneDX document, read from the image itself."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.parser import Parser
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packageurl import PackageURL

from geokube_lab.errors import LabError
from geokube_lab.images.model import PublishedModel
from geokube_lab.images.store import Image, Store

MEDIA_TYPE = "application/vnd.cyclonedx+json"
SCHEMA = SchemaVersion.V1_6
# As the image's own configuration says, so that the same image has the same document.
CREATED = datetime.fromtimestamp(0, UTC)


@dataclass
class Content:
    """What the document is about: dpkg's and Python's records, and the digests of networks by path."""

    debian: list[Message] = field(default_factory=list)
    python: list[Message] = field(default_factory=list)
    networks: dict[str, str] = field(default_factory=dict)


def _files(image: Image, store: Store) -> Iterator[tuple[str, bytes]]:
    manifest = json.loads(store.blob_path(image.digest).read_bytes())
    for layer in manifest["layers"]:
        with tarfile.open(store.blob_path(layer["digest"]), "r:gz") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield f"/{member.name}", file.read()


def read_content(image: Image, store: Store) -> Content:
    """Read every layer; no image of ours removes a file of a lower one."""
    content = Content()
    for path, data in _files(image, store):
        if path.startswith("/var/lib/dpkg/status.d/"):
            content.debian.append(Parser().parsestr(data.decode()))
        elif path.endswith(".dist-info/METADATA"):
            content.python.append(Parser().parsestr(data.decode(), headersonly=True))
        elif path.endswith(".onnx"):
            content.networks[path] = hashlib.sha256(data).hexdigest()
    return content


def _sha256(digest: str) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=digest)]


def _debian(package: Message) -> Component:
    name, version, architecture = package["Package"], package["Version"], package["Architecture"]
    purl = PackageURL("deb", "debian", name, version, {"arch": architecture, "distro": "debian-12"})
    supplier = OrganizationalEntity(name=package["Maintainer"])
    return Component(name=name, version=version, purl=purl, bom_ref=purl.to_string(), supplier=supplier)


def _python(metadata: Message) -> Component:
    name, version = metadata["Name"], metadata["Version"]
    purl = PackageURL("pypi", None, re.sub(r"[-_.]+", "-", name).lower(), version)
    text = metadata["License-Expression"] or metadata["License"] or ""
    # Some write the whole licence where its name belongs.
    licenses = [LicenseFactory().make_from_string(text)] if text and "\n" not in text and len(text) < 80 else []
    return Component(name=name, version=version, purl=purl, bom_ref=purl.to_string(), licenses=licenses)


def _network(path: str, digest: str, published: PublishedModel) -> Component:
    purl = PackageURL("pypi", None, published.package, published.release, subpath=published.file)
    ancestor = Component(
        name=published.file,
        version=published.release,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=_sha256(published.sha256),
        purl=purl,
        bom_ref=purl.to_string(),
    )
    return Component(
        name=path.rpartition("/")[2],
        version=published.release,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=_sha256(digest),
        bom_ref=f"file:{path}",
        properties=[Property(name="path", value=path)],
        pedigree=Pedigree(ancestors=[ancestor], notes="written anew from the ancestor's weights"),
    )


def describe(image: Image, store: Store, published: PublishedModel | None) -> bytes:
    """The CycloneDX document of an image, checked against the schema; the same image gives the same bytes."""
    content = read_content(image, store)
    purl = PackageURL("oci", None, image.name.rpartition("/")[2], image.digest)
    subject = Component(
        name=image.name,
        version=image.tag,
        type=ComponentType.CONTAINER,
        hashes=_sha256(image.digest.removeprefix("sha256:")),
        purl=purl,
        bom_ref=purl.to_string(),
    )
    parts = [Component(name="debian", version="12", type=ComponentType.OPERATING_SYSTEM, bom_ref="debian-12")]
    parts += [_debian(package) for package in content.debian]
    parts += [_python(metadata) for metadata in content.python]
    if published is not None:
        parts += [_network(path, digest, published) for path, digest in content.networks.items()]
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, image.digest),
        metadata=BomMetaData(component=subject, timestamp=CREATED),
        components=parts,
    )
    bom.register_dependency(subject, parts)
    text = str(make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=2))
    problem = make_schemabased_validator(OutputFormat.JSON, SCHEMA).validate_str(text)
    if problem is not None:
        raise LabError(f"the SBOM of {image.reference} is not as CycloneDX wants it: {problem}")
    return f"{text}\n".encode()
