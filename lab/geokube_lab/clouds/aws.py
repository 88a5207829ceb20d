# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's EC2, Route 53 and STS behind a front that checks signatures, pages as EC2 does, and spoils answers."""

from __future__ import annotations

import io
import threading
from concurrent.futures import Future
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts import sts_backends
from werkzeug.test import run_wsgi_app

from geokube_lab.clouds import aws_pages, aws_seed, credentials
from geokube_lab.clouds.aws_errors import error_response
from geokube_lab.clouds.aws_signature import Credential, credential_of, is_valid
from geokube_lab.clouds.emulator import Emulator
from geokube_lab.clouds.faults import Call, Fault, Faults
from geokube_lab.clouds.http import Server
from geokube_lab.clouds.messages import Request, Response

_READING = ("Describe", "Get", "List")
_FIRST_ACCOUNT = 123456789012
_PAGE_FAULTS = ("empty-page", "token-loop", "drop-page")


class Aws(Emulator):
    """AWS on one port for all services and regions.

    moto keeps one world a process; each emulator has an account of its own in it, so that they do not meet.
    """

    name = "aws"
    _accounts: ClassVar[set[int]] = set()

    def __init__(self, port: int = 0, faults: Faults | None = None) -> None:
        super().__init__(faults)
        self._number = next(number for number in count(_FIRST_ACCOUNT) if number not in Aws._accounts)
        self._account = str(self._number)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = Server(self, port=port)
        self._pages = aws_pages.Pages()
        self._answers: dict[tuple[str, str, bytes], Future[Response]] = {}
        self._lock = threading.Lock()
        Aws._accounts.add(self._number)

    @property
    def endpoint(self) -> str:
        """The URL that AWS_ENDPOINT_URL takes."""
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Starts to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stops to serve."""
        self._server.stop()
        aws_seed.seed((), self._account)
        Aws._accounts.discard(self._number)

    def _loaded(self) -> None:
        with self._lock:
            aws_seed.seed(self._machines, self._account)
            self._answers.clear()

    def call(self, request: Request) -> Call:
        """The operation is EC2's action, elsewhere service and path; the scope is the region."""
        credential = credential_of(request)
        service = credential.service if credential else "unsigned"
        scopes = frozenset({credential.region}) if credential else frozenset()
        form = _form(request)
        operation = form.get("Action") or f"{service} {request.method} {request.path}"
        return Call(operation, scopes, self._pages.number(form.get("NextToken", "")))

    def failure(self, request: Request, fault: Fault) -> Response:
        """An error as the service asked writes it."""
        credential = credential_of(request)
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        return error_response(credential.service if credential else "ec2", fault.status, fault.message, None, headers)

    def respond(self, request: Request, fault: Fault | None) -> Response:
        """The answer to one request."""
        credential, form = credential_of(request), _form(request)
        if credential is None:
            return error_response("ec2", 401) if request.headers.get("Authorization") else _unsigned()
        refused = self._refused(request, credential, form.get("Action", ""))
        if refused is not None:
            return refused
        if credential.service == "ec2" and form.get("Action") == "DescribeInstances":
            return self._describe_instances(request, credential, form, fault)
        if not form.get("Action", "").startswith(_READING) and request.method != "GET":
            with self._lock:
                self._answers.clear()
        return self._ask_moto(request, request.body)

    def _describe_instances(
        self, request: Request, credential: Credential, form: dict[str, str], fault: Fault | None
    ) -> Response:
        problem = aws_pages.problem_with(form)
        if problem is not None:
            return error_response("ec2", 400, *problem)
        token = form.get("NextToken", "")
        if credential.region in self.faults.unreachable():
            return error_response("ec2", 503)
        form = self._pages.for_moto(form)
        body = urlencode(form).encode()
        answer = self._known((credential.access_key, credential.region, body), request)
        kind = fault.kind if fault is not None and fault.kind in _PAGE_FAULTS else ""
        return self._pages.paged(answer, token, kind)

    def _known(self, key: tuple[str, str, bytes], request: Request) -> Response:
        """moto's answer, asked for once until something changes: it takes 2 ms an instance.

        A client that asks again while moto still works waits for the same answer.
        """
        with self._lock:
            answer = self._answers.get(key)
            first = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
        if first:
            try:
                answer.set_result(self._ask_moto(request, key[2]))
            except BaseException as error:
                answer.set_exception(error)
            if answer.exception() is not None or answer.result().status != 200:
                with self._lock:
                    self._answers.pop(key, None)
        return answer.result()

    def _refused(self, request: Request, credential: Credential, action: str) -> Response | None:
        secret = _secret_of(credential.access_key, request.headers.get("X-Amz-Security-Token", ""))
        if secret is None:
            if credential.service == "ec2":
                return error_response("ec2", 401)
            message = "The security token included in the request is invalid."
            return error_response(credential.service, 403, message, "InvalidClientTokenId")
        if not is_valid(request, credential, secret):
            if credential.service == "ec2":
                return error_response("ec2", 401)
            message = "The request signature we calculated does not match the signature you provided."
            return error_response(credential.service, 403, message, "SignatureDoesNotMatch")
        if credential.access_key == credentials.AWS_GUEST_ACCESS_KEY_ID:
            user = f"arn:aws:iam::{self._account}:user/{credentials.AWS_GUEST_ACCESS_KEY_ID}"
            operation = f"{credential.service}:{action or request.method}"
            return error_response(
                credential.service,
                403,
                f"You are not authorized to perform this operation. User: {user} is not authorized to perform: "
                f"{operation} because no identity-based policy allows the {operation} action",
            )
        return None

    def _ask_moto(self, request: Request, body: bytes) -> Response:
        app_iter, status, headers = run_wsgi_app(self._moto, self._environ(request, body), buffered=True)
        content = b"".join(app_iter)
        kept = {name: value for name, value in headers.items() if name.lower().startswith("x-amz")}
        return Response(int(status.split()[0]), content, headers.get("Content-Type", "text/xml"), kept)

    def _environ(self, request: Request, body: bytes) -> dict[str, Any]:
        query = request.target.partition("?")[2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": request.path.encode().decode("latin-1"),
            "RAW_URI": request.target,
            "REQUEST_URI": request.target,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self._server.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_X_MOTO_ACCOUNT_ID": self._account,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            if name.lower() not in ("content-type", "content-length", "x-moto-account-id"):
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ


def _form(request: Request) -> dict[str, str]:
    if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return {}


def _secret_of(access_key: str, session_token: str) -> str | None:
    fixed = {
        credentials.AWS_ACCESS_KEY_ID: credentials.AWS_SECRET_ACCESS_KEY,
        credentials.AWS_GUEST_ACCESS_KEY_ID: credentials.AWS_GUEST_SECRET_ACCESS_KEY,
    }
    if access_key in fixed:
        return fixed[access_key]
    for account in list(sts_backends):
        for backend in list(sts_backends[account].values()):
            for role in backend.assumed_roles:
                if role.access_key_id == access_key and role.session_token == session_token:
                    return str(role.secret_access_key)
    return None


def _unsigned() -> Response:
    message = "The request must contain the parameter AWSAccessKeyId"
    return error_response("ec2", 401, message, "MissingAuthenticationToken")
