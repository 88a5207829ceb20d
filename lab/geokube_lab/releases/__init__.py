"""What the real Kubespray lets nodes download, brought into the lab: release files by checksum, and images."""

from __future__ import annotations

from geokube_lab.releases.listing import Listing, ReleaseFile, ReleaseImage, listing

__all__ = ["Listing", "ReleaseFile", "ReleaseImage", "listing"]
