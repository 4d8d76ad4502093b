"""Apache Libcloud's driver, through what it can do."""

import urllib.parse

import pytest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider, StorageVolumeState

from cloud import Cloud, fresh
from service import eventually


@pytest.fixture
def driver(cloud: Cloud):
    address = urllib.parse.urlsplit(cloud.endpoint)
    driver = get_driver(Provider.CLOUDSTACK)(
        key=cloud.key, secret=cloud.secret, secure=False, host=address.hostname, port=address.port, path=address.path)
    driver.connection.async_poll_interval = 0.2
    return driver


def test_life_of_a_machine(cloud: Cloud, driver) -> None:
    name = fresh("libcloud")
    size = next(size for size in driver.list_sizes() if size.name == "1 vCPU, 256 MiB")
    image = driver.list_images()[0]
    location = driver.list_locations()[0]
    assert image.extra["hypervisor"] == "KVM" and image.extra["size"] > 0

    node = driver.create_node(name=name, size=size, image=image, location=location, ex_start_vm=True)
    assert (node.name, node.state) == (name, NodeState.RUNNING)
    assert node.private_ips
    assert name in [node.name for node in driver.list_nodes()]

    volume = driver.create_volume(1, fresh("data 1"), location)
    assert driver.attach_volume(node, volume)
    attached = next(found for found in driver.list_volumes() if found.id == volume.id)
    assert attached.extra["instance_id"] == node.id and attached.state == StorageVolumeState.INUSE

    snapshot = driver.create_volume_snapshot(volume, name=fresh("snapshot"))
    assert snapshot.extra["volume_id"] == volume.id and snapshot.extra["name"]
    assert snapshot.id in [found.id for found in driver.list_snapshots()]

    assert driver.ex_create_tags([volume.id], "Volume", {"Gruppe[1]": "grün ~*", "b": "2"})
    tagged = next(found for found in driver.list_volumes() if found.id == volume.id)
    assert tagged.extra["tags"] == {"Gruppe[1]": "grün ~*", "b": "2"}
    assert driver.ex_delete_tags([volume.id], "Volume", ["b"])
    assert driver.destroy_volume_snapshot(snapshot)

    # The guest lets go of the disk only when it is up, which its console says.
    eventually("it counts", lambda: cloud.service.counter(name))
    assert driver.detach_volume(volume)
    assert driver.reboot_node(node)
    assert driver.destroy_volume(volume)
    assert driver.destroy_node(node)
    aside = next(found for found in driver.list_nodes() if found.name == name)
    assert aside.state == NodeState.TERMINATED
    assert driver.destroy_node(aside, ex_expunge=True)
    eventually("it is gone", lambda: name not in [node.name for node in driver.list_nodes()])


def test_projects_are_environments(driver) -> None:
    projects = driver.ex_list_projects()
    assert {"demo"} <= {project.name for project in projects}
    other = next(project for project in projects if project.name != "demo")
    assert driver.list_nodes(project=other) == []
    assert driver.list_nodes(project=next(project for project in projects if project.name == "demo"))
