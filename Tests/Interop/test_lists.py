"""Lists, as clients page through them."""

from collections.abc import Callable
from typing import Any

from cs import CloudStack

from cloud import Cloud, fresh


def test_a_thousand_snapshots_in_pages(cloud: Cloud, client: CloudStack) -> None:
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    volumes = [
        client.createVolume(name=fresh("paged"), diskofferingid=offering, fetch_result=True)["volume"]["id"]
        for _ in range(10)]
    word = fresh("page")
    # A chain is at most 250 layers deep, so they are spread.
    jobs = [
        client.createSnapshot(volumeid=volumes[number % 10], name=f"{word}-{number}")["jobid"] for number in range(1_010)]
    for job in jobs[-10:]:
        while not client.queryAsyncJobResult(jobid=job)["jobstatus"]:
            pass

    # The client pages by itself, 500 at a time, and sees every one once.
    seen = client.listSnapshots(keyword=word, fetch_list=True)
    assert len(seen) == 1_010 == len({snapshot["id"] for snapshot in seen})
    assert [snapshot["created"] for snapshot in seen] == sorted((s["created"] for s in seen), reverse=True)
    first = client.listSnapshots(keyword=word)
    assert (first["count"], len(first["snapshot"])) == (1_010, 500)
    last = client.listSnapshots(keyword=word, page=11, pagesize=100)
    assert (last["count"], len(last["snapshot"])) == (1_010, 10)
    assert client.listSnapshots(keyword=word, page=12, pagesize=100) == {"count": 1_010}
    assert len(client.listSnapshots(keyword=word, pagesize=-1)["snapshot"]) == 1_010
    of_one = client.listSnapshots(volumeid=volumes[0], snapshottype="manual")
    assert of_one["count"] == 101
    assert client.listSnapshots(volumeid=volumes[0], snapshottype="RECURRING") == {}
    assert client.listSnapshots(name=f"{word}-7")["count"] == 1
    ids = ",".join(snapshot["id"] for snapshot in seen[:3])
    assert client.listSnapshots(ids=ids)["count"] == 3


def test_an_empty_list_is_empty(client: CloudStack) -> None:
    for command in (
            "listPublicIpAddresses", "listPortForwardingRules", "listIpForwardingRules", "listNetworks", "listVPCs",
            "listSecurityGroups", "listSSHKeyPairs", "listAffinityGroups", "listIsos", "listInstanceGroups"):
        assert getattr(client, command)() == {}
    assert client.listVolumes(keyword="a name that nothing has") == {}
    assert client.listVirtualMachines(name="no/name") == {}


def test_what_the_service_says_of_itself(client: CloudStack) -> None:
    capability = client.listCapabilities()["capability"]
    assert capability["supportELB"] == "false" and capability["kvmsnapshotenabled"] is True
    assert client.listHypervisors()["hypervisor"] == [{"name": "KVM"}]
    assert client.listOsTypes()["count"] > 3
    assert client.listAccounts()["account"][0]["name"] == client.listUsers()["user"][0]["account"] == "admin"
    assert client.listDomains()["domain"][0]["name"] == "ROOT"
    assert {"demo", "laboratory"} & {project["name"] for project in client.listProjects()["project"]}


def test_list_apis_is_true(cloud: Cloud, client: CloudStack) -> None:
    apis = client.listApis()["api"]
    assert len(apis) == client.listApis(pagesize=-1)["count"]
    for api in apis:
        missing = {parameter["name"] for parameter in api["params"] if parameter["required"]}
        reply = cloud.ask(api["name"])
        # Each is there; what it needs it says, and what needs nothing answers.
        if missing:
            assert reply.status == 431 and any(name in reply.error for name in missing), api["name"]
        else:
            assert reply.status in (200, 431), (api["name"], reply.json)
    assert client.listApis(name="createSnapshot")["api"][0]["isasync"] is True


def test_jobs(client: CloudStack, cleaner: Callable[..., Any]) -> None:
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    answer = client.createVolume(name=fresh("job"), diskofferingid=offering, fetch_result=False)
    cleaner(client.deleteVolume, id=answer["id"])
    job = client.queryAsyncJobResult(jobid=answer["jobid"])
    assert job["jobid"] == answer["jobid"] and job["jobprocstatus"] == 0
    assert (job["jobinstancetype"], job["jobinstanceid"]) == ("Volume", answer["id"])
    while not job["jobstatus"]:
        job = client.queryAsyncJobResult(jobid=answer["jobid"])
    assert (job["jobstatus"], job["jobresultcode"], job["jobresulttype"]) == (1, 0, "object")
    assert list(job["jobresult"]) == ["volume"] and job["completed"]
    assert answer["jobid"] in [job["jobid"] for job in client.listAsyncJobs()["asyncjobs"]]
