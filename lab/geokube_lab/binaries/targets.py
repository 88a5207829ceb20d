"""What is compiled on a machine that reaches no release server: pinned versions, packages and flags."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from geokube_lab.binaries import traefik

SOURCES = Path(__file__).resolve().parents[2] / "binaries"

KUBERNETES_VERSION = "v1.35.4"
ETCD_VERSION = "v3.6.10"
COREDNS_VERSION = "v1.14.2"
FLANNEL_VERSION = "v0.28.4"
FLANNEL_CNI_VERSION = "v0.9.1"
PAUSE_VERSION = "3.10.1"
TRAEFIK_VERSION = "v3.6.12"

# The names under which the one program of `kubernetes` acts as something else.
KUBERNETES_PROGRAMS = (
    "coredns",
    "etcd",
    "etcdctl",
    "flanneld",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)


@dataclass(frozen=True)
class Target:
    """One program: Go package `package` of the module in `module` (a folder), linked with `variables` set.

    prepare is called with a scratch copy of the module's folder before the compiler, for what go.mod alone
    cannot say.
    """

    name: str
    version: str
    module: Path
    package: str
    variables: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None

    @property
    def flags(self) -> list[str]:
        variables = "".join(f" -X {name}={value}" for name, value in sorted(self.variables.items()))
        return ["-trimpath", "-buildvcs=false", f"-ldflags=-s -w{variables}"]

    def digest(self) -> str:
        """A hex digest of all that decides what the program will be, but for the compiler."""
        result = hashlib.sha256("\0".join([self.name, self.package, *self.flags]).encode())
        files = [self.module / "go.mod", self.module / "go.sum"]
        if self.package.startswith("./"):
            files += sorted((self.module / self.package).glob("*.go"))
        for path in files:
            result.update(f"\0{path.name}\0".encode() + path.read_bytes())
        if self.prepare is not None:
            result.update(Path(traefik.__file__).read_bytes())
        return result.hexdigest()


_COMPONENT = "k8s.io/component-base/version"
_MAJOR, _MINOR = KUBERNETES_VERSION.removeprefix("v").split(".")[:2]

TARGETS = (
    Target(
        "kubernetes",
        KUBERNETES_VERSION,
        SOURCES,
        "./kubernetes",
        {
            f"{_COMPONENT}.gitVersion": KUBERNETES_VERSION,
            f"{_COMPONENT}.gitMajor": _MAJOR,
            f"{_COMPONENT}.gitMinor": _MINOR,
            f"{_COMPONENT}.gitTreeState": "clean",
            f"{_COMPONENT}.gitCommit": KUBERNETES_VERSION,
            f"{_COMPONENT}.buildDate": "1970-01-01T00:00:00Z",
            "k8s.io/client-go/pkg/version.gitVersion": KUBERNETES_VERSION,
            "github.com/flannel-io/flannel/pkg/version.Version": FLANNEL_VERSION,
        },
    ),
    Target("pause", PAUSE_VERSION, SOURCES, "./pause"),
    Target(
        "flannel",
        FLANNEL_CNI_VERSION,
        SOURCES / "cni_flannel",
        "github.com/containernetworking/plugins/plugins/meta/flannel",
        {"github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion": FLANNEL_CNI_VERSION},
    ),
    Target(
        "traefik",
        TRAEFIK_VERSION,
        SOURCES / "traefik",
        "github.com/traefik/traefik/v3/cmd/traefik",
        {"github.com/traefik/traefik/v3/pkg/version.Version": TRAEFIK_VERSION.removeprefix("v")},
        traefik.prepare,
    ),
)


def target(name: str) -> Target:
    """The target of this name; KeyError with the known names when there is none."""
    for candidate in TARGETS:
        if candidate.name == name:
            return candidate
    raise KeyError(f"{name!r} is nothing that is compiled here: one of {', '.join(t.name for t in TARGETS)}")
