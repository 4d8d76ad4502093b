"""The ngine_io.cloudstack collection against the shipped program: a playbook that is run again changes nothing."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from cloud import Cloud
from service import GUEST, PROGRAM, Service

HERE = pathlib.Path(__file__).resolve().parent


def play(cloud: Cloud, home: pathlib.Path) -> dict:
    """What a run of the playbook says of the host: how many tasks were ok, changed, failed."""
    template = cloud.client().listTemplates(templatefilter="executable")["template"][0]["name"]
    done = subprocess.run(
        [
            str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "--inventory", "localhost,",
            "--extra-vars", json.dumps({"template": template, "ansible_python_interpreter": sys.executable}),
            str(HERE / "playbook.yml")],
        capture_output=True, text=True, timeout=600,
        env={
            "PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "CLOUDSTACK_ENDPOINT": cloud.endpoint,
            "CLOUDSTACK_KEY": cloud.key, "CLOUDSTACK_SECRET": cloud.secret})
    assert done.returncode == 0, done.stdout + done.stderr
    recap = done.stdout.rstrip().splitlines()[-1]
    return {name: int(count) for name, count in (word.split("=") for word in recap.split() if "=" in word)}


def test_a_playbook_twice(tmp_path: pathlib.Path) -> None:
    for path in (PROGRAM, GUEST):
        if not os.path.exists(path):
            pytest.fail(f"there is no {path}: 'make interop' makes what is missing")
    with Service.running() as service:
        cloud = Cloud(service)
        tasks = (HERE / "playbook.yml").read_text().count("- name: ")
        first, second = play(cloud, tmp_path), play(cloud, tmp_path)
    assert (first["ok"], first["changed"], first["failed"]) == (tasks, tasks, 0)
    assert (second["ok"], second["changed"], second["failed"]) == (tasks, 0, 0)
