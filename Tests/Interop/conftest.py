"""One service for all tests of this folder, and the clients that speak with it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cs import CloudStack

from cloud import Cloud
from service import GUEST, PROGRAM, Service


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    for path in (PROGRAM, GUEST):
        if not os.path.exists(path):
            reason = f"there is no {path}: 'make test-clients' makes what is missing"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with Service.running() as service:
        yield service


@pytest.fixture(scope="session")
def cloud(service: Service) -> Cloud:
    return Cloud(service)


@pytest.fixture
def client(cloud: Cloud) -> CloudStack:
    return cloud.client()


@pytest.fixture
def cleaner(client: CloudStack) -> Iterator[Callable[..., Any]]:
    """Remembers what undoes a test's doing, and does it at the end, newest first."""
    steps: list[tuple[Callable[..., Any], dict]] = []
    yield lambda step, **parameters: steps.append((step, parameters))
    for step, parameters in reversed(steps):
        step(fetch_result=True, **parameters)
