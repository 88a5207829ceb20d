#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubespray_source
short_description: Have one release of Kubespray at hand, from git, a tarball or a folder
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Clones the release's tag from a git repository and refuses it when the tag is not the commit that it is known to
    be, or unpacks a tarball of a known checksum, or looks at a folder.
  - The tree appears at O(dest) whole or not at all, whenever the task is killed. One that is there is used without
    asking a network; a clone in which files were changed is made anew.
  - A network or server that fails is tried again; what another try does not change is not.
attributes:
  check_mode:
    description: Can run in check mode and say whether the tree would be brought.
    support: full
  diff_mode:
    description: Shows differences.
    support: none
options:
  source:
    description: The git repository, the tarball as path or URL, or the folder. Without a password in it.
    type: str
    required: true
  kind:
    description: What O(source) is.
    type: str
    required: true
    choices: [git, tarball, folder]
  version:
    description: The release, such as V(v2.31.0). It is the tag's name, and what the tree has to say that it is.
    type: str
    required: true
  commit:
    description: The commit that the tag has to be, 40 digits. Empty for whatever the tag is.
    type: str
    default: ""
  checksum:
    description: The tarball's checksum as C(sha256:) and 64 digits. A tarball from a network needs it.
    type: str
    default: ""
  dest:
    description: Where the tree is to be. Not used for a folder.
    type: path
    required: true
  attempts:
    description: How often a network or a busy server is tried.
    type: int
    default: 4
  pause:
    description: Seconds before the second try; each further one waits twice as long.
    type: float
    default: 2
  timeout:
    description: Seconds for one git command, or for a server's silence.
    type: float
    default: 300
requirements:
  - git, when O(kind=git)
  - tar, when O(kind=tarball)
seealso:
  - module: meridian.geokube.kubespray_playbook
"""

EXAMPLES = r"""
- name: Have Kubespray from git
  meridian.geokube.kubespray_source:
    source: https://github.com/kubernetes-sigs/kubespray.git
    kind: git
    version: v2.31.0
    commit: 1c9add48975060f45396b34d8e022c30d7f80dab
    dest: /srv/state/kubespray/source

- name: Have it from a tarball that was brought here
  meridian.geokube.kubespray_source:
    source: /srv/mirror/kubespray-2.31.0.tar.gz
    kind: tarball
    version: v2.31.0
    dest: /srv/state/kubespray/source
"""

RETURN = r"""
path:
  description: Where the tree is.
  type: str
  returned: success
version:
  description: The version that the tree says it is.
  type: str
  returned: success
commit:
  description: The commit of the tree; empty when it is not from git.
  type: str
  returned: success
checksum:
  description: The checksum of the tarball; empty when it is from none.
  type: str
  returned: success
"""

import re
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils import kubespray_git, kubespray_tarball
from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_source import SourceError, check_tree


def have(module: AnsibleModule) -> dict[str, object]:
    """Give what the module answers; raise SourceError when there is no such tree."""
    given = module.params
    patience = {"attempts": max(1, given["attempts"]), "pause": given["pause"], "seconds": given["timeout"]}
    destination, look_only = Path(given["dest"]), module.check_mode
    if given["kind"] == "folder":
        folder = Path(given["source"])
        version = check_tree(folder, given["source"], given["version"])
        return {"changed": False, "path": str(folder), "version": version, "commit": "", "checksum": ""}
    if given["kind"] == "git":
        if given["commit"] and not re.fullmatch(r"[0-9a-f]{40}", given["commit"]):
            raise SourceError(f"kubespray_commit is {given['commit']!r}: it takes the 40 digits of a commit")
        repository = kubespray_git.Repository(given["source"], given["version"], given["commit"], **patience)
        changed, commit, version = kubespray_git.bring(repository, destination, look_only=look_only)
        return {"changed": changed, "path": str(destination), "version": version, "commit": commit, "checksum": ""}
    found = re.fullmatch(r"(?:sha256:([0-9a-fA-F]{64}))?", given["checksum"])
    if found is None:
        raise SourceError(f"kubespray_checksum is {given['checksum']!r}: it takes sha256: and 64 digits")
    wanted = (found[1] or "").lower()
    tarball = kubespray_tarball.Tarball(given["source"], given["version"], wanted, **patience)
    changed, digest, version = kubespray_tarball.bring(tarball, destination, look_only=look_only)
    answer: dict[str, object] = {"changed": changed, "path": str(destination), "version": version, "commit": ""}
    return {**answer, "checksum": f"sha256:{digest}"}


def main() -> None:
    """Have the tree."""
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "str", "required": True},
            "kind": {"type": "str", "required": True, "choices": ["git", "tarball", "folder"]},
            "version": {"type": "str", "required": True},
            "commit": {"type": "str", "default": ""},
            "checksum": {"type": "str", "default": ""},
            "dest": {"type": "path", "required": True},
            "attempts": {"type": "int", "default": 4},
            "pause": {"type": "float", "default": 2},
            "timeout": {"type": "float", "default": 300},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**have(module))
    except SourceError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{module.params['dest']}: {error.strerror or error}")


if __name__ == "__main__":
    main()
