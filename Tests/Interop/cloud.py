"""What the tests know of the service that their clients speak with."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

from cs import CloudStack

from service import Service


class Cloud:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.credentials = json.loads((service.data / "credentials.json").read_text())
        self.key = self.credentials["cloudstackApiKey"]
        self.secret = self.credentials["cloudstackSecretKey"]
        self.endpoint = f"{service.url}/client/api"

    def client(self, method: str = "get", **options: Any) -> CloudStack:
        return CloudStack(**{
            "endpoint": self.endpoint, "key": self.key, "secret": self.secret, "method": method, "poll_interval": 0.1,
            "timeout": 60, "job_timeout": 120, **options})

    def ask(self, command: str, secret: str | None = None, body: bytes | None = None, **parameters: str) -> "Reply":
        """A request that no client would make, signed all the same."""
        signed = {"command": command, "apiKey": self.key, "response": "json", **parameters}
        text = "&".join(
            f"{name}={urllib.parse.quote(value, safe='*')}" for name, value in sorted(signed.items())).lower()
        code = hmac.new((secret or self.secret).encode(), text.encode(), hashlib.sha1).digest()
        query = urllib.parse.urlencode({**signed, "signature": base64.b64encode(code).decode()})
        return self.send(query, body)

    def send(self, query: str, body: bytes | None = None, method: str | None = None) -> "Reply":
        request = urllib.request.Request(f"{self.endpoint}?{query}", data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Reply(answer.status, dict(answer.headers), json.load(answer))
        except urllib.error.HTTPError as error:
            return Reply(error.code, dict(error.headers), json.load(error))


class Reply:
    def __init__(self, status: int, headers: dict[str, str], json: dict) -> None:
        self.status, self.headers, self.json = status, headers, json
        assert len(json) == 1, "an answer has exactly one key"
        assert headers["Content-Type"].startswith("application/json")
        (self.key, self.body), = json.items()

    @property
    def error(self) -> str:
        """The text of a refusal, after checking that it is one as clients expect it."""
        assert self.body["errorcode"] == self.status >= 400
        assert isinstance(self.body["cserrorcode"], int)
        assert self.body["uuidList"] == []
        return self.body["errortext"]


def fresh(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


def one(answer: dict, name: str) -> dict:
    """The only object of a list."""
    assert set(answer) == {"count", name}, answer
    assert answer["count"] == 1 == len(answer[name]), answer
    return answer[name][0]
