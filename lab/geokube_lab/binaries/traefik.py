"""Traefik's ACME library without the DNS providers, whose modules registries hold only in part.

Traefik needs lego (github.com/go-acme/lego) for certificates from ACME servers; lego's package of DNS providers
pulls in the SDKs of some two hundred DNS services. The lab uses no ACME: lego is taken as released, with that one
package replaced by one that knows no provider.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from geokube_lab.binaries.environment import environment
from geokube_lab.errors import LabError

LEGO = "github.com/go-acme/lego/v4"
PARTS = ("acme", "certcrypto", "certificate", "challenge", "lego", "log", "platform", "registration")
PROVIDERS = f"""// Package dns knows no DNS provider.
package dns

import (
	"fmt"

	"{LEGO}/challenge"
)

// NewDNSChallengeProviderByName says that the provider is not here.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {{
	return nil, fmt.Errorf("DNS provider %q is not part of this build", name)
}}
"""


def prepare(module: Path) -> None:
    """Put the reduced lego into `module`/lego, where its go.mod expects it.

    lego is fetched at the version and with the checksum that a comment of go.mod names (`// lego v4.33.0 h1:...`),
    since the replacement hides it from the go command; LabError when that fails.
    """
    named = re.search(r"^// lego (v\S+) (h1:\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    if named is None:
        raise LabError(f"{module / 'go.mod'}: no line '// lego vX.Y.Z h1:...' says which lego to take")
    command = ["go", "mod", "download", "-json", f"{LEGO}@{named.group(1)}"]
    # Outside of the module, whose replacement would answer for it.
    done = subprocess.run(command, cwd=module.parent, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {done.stdout.strip()} {done.stderr.strip()}")
    fetched = json.loads(done.stdout)
    if fetched["Sum"] != named.group(2):
        raise LabError(f"{LEGO}@{named.group(1)} has checksum {fetched['Sum']}, not {named.group(2)}")
    source, target = Path(fetched["Dir"]), module / "lego"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for part in PARTS:
        # The module cache is read-only, and stays so in a plain copy.
        shutil.copytree(source / part, target / part, copy_function=shutil.copyfile)
    for directory in (path for path in target.rglob("*") if path.is_dir()):
        directory.chmod(0o755)
    for name in ("go.mod", "LICENSE"):
        shutil.copyfile(source / name, target / name)
    (target / "providers" / "dns").mkdir(parents=True)
    (target / "providers" / "dns" / "dns.go").write_text(PROVIDERS)
