"""What one request to an endpoint needs of this machine."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2
import pytest

from membench.endpoints.http_call import Call, Limits, NoAnswer


def test_certificates_are_read_once_for_all_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    create = httpx2.create_ssl_context

    def counted() -> ssl.SSLContext:
        made.append(create())
        return made[-1]

    monkeypatch.setattr(httpx2, "create_ssl_context", counted)
    monkeypatch.setenv("SSL_CERT_DIR", "/etc/ssl/certs-of-this-test")
    for _ in range(3):
        with Call(Limits()):
            pass
    assert len(made) == 1


def test_certificates_that_are_not_there_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(NoAnswer, match="certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read"), Call(Limits()):
        pass
