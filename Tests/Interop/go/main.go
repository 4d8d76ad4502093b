// The Go SDK's part of the tests with other people's clients: it takes the address and the keys from its surroundings, goes
// through the life of a machine, and ends with an error at the first thing that is not as it should be.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/xanzy/go-cloudstack/cloudstack"
)

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func demand(isSo bool, what string, seen interface{}) {
	if !isSo {
		fmt.Fprintf(os.Stderr, "%s, but there is %+v\n", what, seen)
		os.Exit(1)
	}
}

func main() {
	client := cloudstack.NewAsyncClient(os.Getenv("CLOUD_URL"), os.Getenv("CLOUD_KEY"), os.Getenv("CLOUD_SECRET"), false)
	client.AsyncTimeout(120)
	name := os.Getenv("CLOUD_NAME")

	zoneID, count, err := client.Zone.GetZoneID("Local")
	must(err, "the zone")
	demand(count == 1, "there is one zone", count)
	offeringID, _, err := client.ServiceOffering.GetServiceOfferingID("1 vCPU, 256 MiB")
	must(err, "the offering")
	diskID, _, err := client.DiskOffering.GetDiskOfferingID("1 GiB")
	must(err, "the disk offering")
	templates, err := client.Template.ListTemplates(client.Template.NewListTemplatesParams("executable"))
	must(err, "the templates")
	demand(templates.Count > 0 && templates.Templates[0].Isready, "a template is ready", templates)

	deploy := client.VirtualMachine.NewDeployVirtualMachineParams(offeringID, templates.Templates[0].Id, zoneID)
	deploy.SetName(name)
	machine, err := client.VirtualMachine.DeployVirtualMachine(deploy)
	must(err, "deploying")
	demand(machine.State == "Running" && machine.Name == name, "it runs", machine)
	found, _, err := client.VirtualMachine.GetVirtualMachineByName(name)
	must(err, "finding the machine")
	demand(found.Id == machine.Id && len(found.Nic) == 1, "it is found by its name", found)

	create := client.Volume.NewCreateVolumeParams()
	create.SetName(name + " data")
	create.SetDiskofferingid(diskID)
	create.SetZoneid(zoneID)
	volume, err := client.Volume.CreateVolume(create)
	must(err, "creating a volume")
	attached, err := client.Volume.AttachVolume(client.Volume.NewAttachVolumeParams(volume.Id, machine.Id))
	must(err, "attaching it")
	demand(attached.Deviceid == 1 && attached.Virtualmachineid == machine.Id, "it is attached", attached)

	take := client.Snapshot.NewCreateSnapshotParams(volume.Id)
	take.SetName(name + " é+b c*d~e:f=g&h")
	snapshot, err := client.Snapshot.CreateSnapshot(take)
	must(err, "taking a snapshot")
	demand(snapshot.State == "BackedUp" && snapshot.Name == name+" é+b c*d~e:f=g&h", "it is taken", snapshot)
	again, count, err := client.Snapshot.GetSnapshotByID(snapshot.Id)
	must(err, "finding the snapshot")
	demand(count == 1 && again.Volumeid == volume.Id, "it is found", again)

	tags := client.Resourcetags.NewCreateTagsParams([]string{snapshot.Id}, "Snapshot", map[string]string{"a b": "c[d]"})
	_, err = client.Resourcetags.CreateTags(tags)
	must(err, "tagging")
	list := client.Snapshot.NewListSnapshotsParams()
	list.SetTags(map[string]string{"a b": "c[d]"})
	tagged, err := client.Snapshot.ListSnapshots(list)
	must(err, "finding by tag")
	demand(tagged.Count == 1 && tagged.Snapshots[0].Tags[0].Value == "c[d]", "the tag finds it", tagged)

	_, count, err = client.Snapshot.GetSnapshotByID("12345678-1234-4123-8123-123456789abc")
	demand(err != nil && count == 0 && strings.HasPrefix(err.Error(), "No match found"), "an unknown id finds nothing", err)

	// A guest that is not up yet does not let go of a disk.
	stop := client.VirtualMachine.NewStopVirtualMachineParams(machine.Id)
	stop.SetForced(true)
	_, err = client.VirtualMachine.StopVirtualMachine(stop)
	must(err, "stopping")
	_, err = client.Volume.DetachVolume(detach(client, volume.Id))
	must(err, "detaching")
	_, err = client.Snapshot.DeleteSnapshot(client.Snapshot.NewDeleteSnapshotParams(snapshot.Id))
	must(err, "deleting the snapshot")
	_, err = client.Volume.DeleteVolume(client.Volume.NewDeleteVolumeParams(volume.Id))
	must(err, "deleting the volume")
	destroy := client.VirtualMachine.NewDestroyVirtualMachineParams(machine.Id)
	destroy.SetExpunge(true)
	_, err = client.VirtualMachine.DestroyVirtualMachine(destroy)
	must(err, "destroying")
	fmt.Println("all done")
}

func detach(client *cloudstack.CloudStackClient, id string) *cloudstack.DetachVolumeParams {
	params := client.Volume.NewDetachVolumeParams()
	params.SetId(id)
	return params
}
