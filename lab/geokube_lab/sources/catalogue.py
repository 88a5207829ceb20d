"""What the demonstration needs: where it is really had from, and what takes its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A thing that the demonstration needs, where it is really had from, and what takes its place.

    url is asked without credentials; the statuses in `welcome` say that the source is there (a container registry
    answers 401 until one logs in). An empty url: the lab always uses the stand-in, wherever it runs. `key` is its
    name in GEOKUBE_SOURCES. It is used only where those that it `needs`, by name, are used too.
    """

    name: str
    real: str
    stand_in: str
    url: str = ""
    welcome: tuple[int, ...] = (200,)
    key: str = ""
    needs: tuple[str, ...] = ()


KUBESPRAY, KUBERNETES_FILES, GITHUB_FILES = "Kubespray", "Kubernetes release files", "Release files of GitHub"
KUBERNETES_IMAGES, DOCKER_HUB_IMAGES = "Kubernetes images", "Docker Hub images"

SOURCES = (
    Source(
        KUBESPRAY,
        "the project's git repository at its pinned tag and commit",
        "lab/standins/kubespray: the same entry points, inventory and variables, over kubeadm",
        "https://github.com/kubernetes-sigs/kubespray.git/info/refs?service=git-upload-pack",
        key="kubespray",
        needs=(KUBERNETES_FILES, GITHUB_FILES, KUBERNETES_IMAGES, DOCKER_HUB_IMAGES),
    ),
    Source(
        KUBERNETES_FILES,
        "kubelet, kubeadm and kubectl of dl.k8s.io, by Kubespray's checksums",
        "kubelet, kubeadm, kubectl and etcd of the same versions, compiled from their Go modules",
        "https://dl.k8s.io/release/stable.txt",
        key="kubernetes-files",
        needs=(KUBESPRAY,),
    ),
    Source(
        GITHUB_FILES,
        "etcd, containerd, runc, CNI plugins, crictl and nerdctl of their releases, by Kubespray's checksums",
        "containerd, runc and CNI plugins of Debian; flannel's plugin compiled from its Go module",
        "https://github.com/etcd-io/etcd/releases/download/v3.6.10/SHA256SUMS",
        key="github-files",
        needs=(KUBESPRAY,),
    ),
    Source(
        KUBERNETES_IMAGES,
        "the images of registry.k8s.io, copied by skopeo",
        "images of the same versions, compiled from their Go modules into one program",
        "https://registry.k8s.io/v2/",
        (200, 401),
        key="kubernetes-images",
    ),
    Source(
        DOCKER_HUB_IMAGES,
        "the images of Docker Hub (flannel, Traefik, CockroachDB), copied by skopeo",
        "flannel and Traefik compiled from their Go modules; PostgreSQL behind CockroachDB's interface",
        "https://registry-1.docker.io/v2/",
        (200, 401),
        key="docker-hub-images",
    ),
    Source("Yandex Cloud, DigitalOcean, Google Cloud", "", "emulators of their APIs (lab/geokube_lab/clouds)"),
    Source("AWS", "", "moto, an emulator of EC2"),
    Source("Cloudflare", "", "an emulator of its API with an edge in each region (lab/geokube_lab/edge)"),
    Source("the network between continents", "", "delays and losses added between network namespaces"),
)
