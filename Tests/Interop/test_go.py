"""The Go SDK that Debian packages, compiled without a network."""

import os
import pathlib
import shutil
import subprocess

import pytest

from cloud import Cloud, fresh

SOURCES = "/usr/share/gocode"


def test_life_of_a_machine(cloud: Cloud, tmp_path: pathlib.Path) -> None:
    if not shutil.which("go") or not os.path.isdir(f"{SOURCES}/src/github.com/xanzy/go-cloudstack"):
        reason = "there is no Go or no SDK for it: scripts/install-packages installs both"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    program = tmp_path / "life"
    source = pathlib.Path(__file__).parent / "go/main.go"
    surroundings = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "GOPATH": SOURCES, "GO111MODULE": "off", "GOFLAGS": "-p=2",
        "GOCACHE": str(tmp_path / "cache"), "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", str(program), str(source)], env=surroundings, check=True, timeout=300)
    done = subprocess.run(
        [str(program)], capture_output=True, text=True, timeout=300,
        env={
            "CLOUD_URL": cloud.endpoint, "CLOUD_KEY": cloud.key, "CLOUD_SECRET": cloud.secret, "CLOUD_NAME": fresh("go")})
    assert (done.returncode, done.stdout) == (0, "all done\n"), done.stderr
