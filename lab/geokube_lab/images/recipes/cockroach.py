"""The stand-in for CockroachDB under the name of its image: PostgreSQL and a `cockroach` command."""

from __future__ import annotations

from pathlib import Path

from geokube_lab.images import File, Image, Symlink, build_image, debian_layer, files_layer, pip_layer
from geokube_lab.images.layers import Content

NAME, TAG = "cockroachdb/cockroach", "v26.2.5"

STAND_IN = Path(__file__).resolve().parents[3] / "standins" / "cockroach"
PACKAGES = "/usr/lib/python3/dist-packages"
REQUIREMENTS = ["psycopg==3.3.9", "psycopg-binary==3.3.9", "typing_extensions==4.16.0"]
# The compiler for queries, which stays off, and what a server without visitors does not use.
UNUSED = (
    r"libLLVM|llvmjit|libz3|/bitcode/|/usr/share/postgresql/15/(?!postgres\.bki|.*\.sql$|.*\.sample$|errcodes\.txt|.*timezone"
    r"|tsearch_data|extension|sql_features\.txt)|/usr/lib/locale|/gconv/|/usr/share/(perl|zoneinfo/right)"
    r"|/python3\.11/(ensurepip|idlelib|lib2to3|pydoc_data|tkinter|unittest|distutils|test)/"
    r"|/usr/lib/postgresql/15/bin/(?!postgres$|initdb$|pg_isready$|pg_ctl$|psql$)|/usr/lib/(x86_64-linux-gnu/)?perl"
)

CONFIG = {
    "Entrypoint": ["/cockroach/cockroach"],
    "Cmd": ["version"],
    "Env": ["PATH=/cockroach:/usr/bin:/bin", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"],
    "User": "1000:1000",
    "WorkingDir": "/cockroach",
    "ExposedPorts": {"26257/tcp": {}, "8080/tcp": {}},
    "StopSignal": "SIGTERM",
}


def build() -> Image:
    """Build the image."""
    code: dict[str, Content] = {
        f"{PACKAGES}/cockroach_standin/{path.name}": path.read_bytes()
        for path in sorted((STAND_IN / "cockroach_standin").glob("*.py"))
    }
    files: dict[str, Content] = {
        **code,
        "/cockroach/cockroach": File((STAND_IN / "cockroach").read_bytes(), 0o755),
        # initdb runs postgres through a shell, and wants a name for its uid.
        "/usr/bin/sh": Symlink("dash"),
        "/etc/passwd": b"root:x:0:0::/:/bin/false\ncockroach:x:1000:1000::/cockroach:/bin/false\n",
        "/etc/group": b"root:x:0:\ncockroach:x:1000:\n",
    }
    layers = [
        debian_layer(["postgresql-15", "python3.11-minimal", "libpython3.11-stdlib", "coreutils", "dash"], drop=UNUSED),
        pip_layer(REQUIREMENTS),
        files_layer(files),
    ]
    return build_image(NAME, TAG, layers=layers, config=CONFIG)
