"""The shipped program, serving a folder of its own, with a real machine in it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("INSTANTA_PROGRAM", str(ROOT / ".build/debug/instanta"))
GUEST = os.environ.get("INSTANTA_DEMO_GUEST", str(ROOT / "var/demo-guest.qcow2"))
# Bounds of what would otherwise wait for ever, not of how long things may take: without hardware virtualisation, on two
# busy cores, a machine may take a minute to come up.
PATIENCE = 120

Value = TypeVar("Value")


class Service:
    """A running service. Everything that it makes is gone after `close`, its machines included."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="instanta-browser."))
        self.data = self.folder / "data"
        self.programs = self.folder / "programs"
        self.gate = self.folder / "closed"
        self.process: subprocess.Popen[str] | None = None
        self.listen = "127.0.0.1:0"

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator["Service"]:
        service = cls()
        try:
            service.start()
            service.wait_for_demo()
            yield service
        finally:
            service.close()

    def start(self) -> None:
        self.put_programs()
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}"}
        with open(self.folder / "service.log", "a") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--data-dir", str(self.data), "--listen", self.listen, "--demo-guest", GUEST],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        said = ""
        while not said.rstrip().endswith("machines go on."):
            line = self.process.stdout.readline()
            assert line, f"the service did not start:\n{said}{self.log}"
            said += line
        self.url, self.user, self.password = (
            re.search(rf"{word}\s+(\S+)", said)[1] for word in ("URL", "user", "password"))
        # The same address after a restart, so that open pages find the service again.
        self.listen = self.url.removeprefix("http://")

    def stop(self) -> None:
        """Ends the service as Ctrl-C does; machines go on."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def wait_for_demo(self) -> None:
        eventually("the demo machine counts", lambda: self.counter("web01"))

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.stop()
        for pid in self.machines():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        return (self.folder / "service.log").read_text()

    # The command line, for what a test needs but is not about.

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [PROGRAM, *words, "--credentials", str(self.data / "credentials.json"), "--url", self.url],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"instanta {' '.join(words)}:\n{done.stderr}\n{self.log[-2000:]}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--format", "json"))

    # Machines

    def machines(self) -> list[int]:
        """The processes of all machines of this folder."""
        pids = []
        for file in self.data.glob("machines/*/pid"):
            with contextlib.suppress(ValueError, OSError):
                pid = int(file.read_text().split()[0])
                # The number may have gone to another process since.
                if str(file.parent) in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    pids.append(pid)
        return pids

    def machine(self, name: str) -> int:
        folder = self.data / "machines" / self.json("instance", "show", name)["id"]
        return int((folder / "pid").read_text().split()[0])

    @contextlib.contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Stops a machine's process, as a host in need may: whatever needs the machine waits until it goes on."""
        pid = self.machine(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    # A slow host

    def put_programs(self) -> None:
        """Stands before QEMU's storage daemon, so that a test can keep it from starting for a while."""
        self.programs.mkdir(exist_ok=True)
        program = self.programs / "qemu-storage-daemon"
        program.write_text(
            f'#!/bin/sh\nwhile [ -e "{self.gate}" ]; do sleep 0.02; done\n'
            f'exec {shutil.which("qemu-storage-daemon")} "$@"\n')
        program.chmod(0o755)

    @contextlib.contextmanager
    def busy(self, snapshot: str) -> Iterator[None]:
        """Keeps a snapshot busy with being read, which the storage daemon does: other work on it waits in line."""
        self.gate.touch()
        try:
            self.run("snapshot", "verify", snapshot, "--no-wait")
            yield
        finally:
            self.gate.unlink()

    def counter(self, name: str, environment: str = "demo") -> int | None:
        """What the last heartbeat on a machine's console says of its root disk."""
        with contextlib.suppress(AssertionError):
            text = self.run("instance", "console", name, "--environment", environment)
            beats = re.findall(r"^heartbeat root=(\d+)", text, re.MULTILINE)
            return int(beats[-1]) if beats else None
        return None


def eventually(what: str, look: Callable[[], Value | None]) -> Value:
    """Looks until there is something to see."""
    end = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.1)
    return seen
