package dedicatedip

import (
	"maps"

	"junctor/pkg/document"
	"junctor/pkg/history"
	"junctor/pkg/kazoo"
	"junctor/pkg/poolindex"
	"junctor/pkg/store"
)

// The fields of a dedicated IP's document (Kazoo: kz_ip:create/3). Kazoo's are all private; notes are ours.
const (
	fieldType       = kazoo.FieldType
	fieldVersion    = kazoo.FieldVersion
	fieldStatus     = kazoo.FieldStatus
	fieldZone       = kazoo.FieldZone
	fieldHost       = kazoo.FieldHost
	fieldCreated    = kazoo.FieldCreated  // Gregorian seconds
	fieldModified   = kazoo.FieldModified // Gregorian seconds
	fieldAssignedTo = kazoo.FieldAssignedTo
	fieldDeleted    = kazoo.FieldDeleted
	fieldNotes      = kazoo.FieldNotes

	documentType = kazoo.TypeDedicatedIP
	available    = kazoo.Available
	assigned     = kazoo.Assigned
)

// IP is one dedicated IP, as its document in dedicated_ips has it.
type IP struct{ doc document.Document }

// ID is the address in the spelling it is stored under.
func (ip IP) ID() string { return ip.doc.ID() }

// Revision is the document's revision.
func (ip IP) Revision() string { return ip.doc.Rev() }

// AssignedTo is the id of the account that holds the address, empty if none does.
func (ip IP) AssignedTo() string { return ip.doc.String(fieldAssignedTo) }

// Notes is the operators' text about the address.
func (ip IP) Notes() string { return ip.doc.String(fieldNotes) }

// free reports whether the address can be assigned. A status of "assigned" without an account is what Crossbar's
// POST on /v2/ips leaves behind; such an address is not free either.
func (ip IP) free() bool { return ip.doc.String(fieldStatus) == available }

// heldBy reports whether an account holds the address.
func (ip IP) heldBy(account string) bool { return !ip.free() && ip.AssignedTo() == account }

// Address is what the API shows of a dedicated IP; a key whose value is not there is left out (cb_ips clean_ip).
type Address struct {
	ID         string `json:"id"`
	IP         string `json:"ip"`
	Zone       string `json:"zone,omitempty"`
	Host       string `json:"host,omitempty"`
	Status     string `json:"status,omitempty"`
	Type       string `json:"type,omitempty"`
	AssignedTo string `json:"assigned_to,omitempty"` // the account that holds it; empty if none does
	Revision   string `json:"-"`
}

// Address returns what the API shows.
func (ip IP) Address() Address {
	return Address{
		ID:         ip.ID(),
		IP:         ip.ID(),
		Zone:       ip.doc.String(fieldZone),
		Host:       ip.doc.String(fieldHost),
		Status:     ip.doc.String(fieldStatus),
		Type:       ip.doc.String(fieldType),
		AssignedTo: ip.AssignedTo(),
		Revision:   ip.Revision(),
	}
}

// AddressOf returns what the API shows of an entry in memory.
func AddressOf(e *poolindex.Entry) Address {
	return Address{
		ID: e.ID(), IP: e.ID(), Zone: e.Zone(), Host: e.Host(), Status: e.Status(), Type: documentType,
		AssignedTo: e.Holder(), Revision: e.Revision(),
	}
}

// Private returns the document's private fields as stored ("_id", "pvt_zone", …), which Kazoo 5 shows as the
// envelope's metadata and Kazoo 4 under _read_only with the prefix cut off. Fields that only junctor has are left out.
func (ip IP) Private() map[string]any {
	doc := maps.Clone(map[string]any(ip.doc))
	for _, field := range []string{store.FieldWriter, history.Field, fieldNotes} {
		delete(doc, field)
	}
	return doc
}

// assignTo returns the address as it is once account holds it (Kazoo: kz_ip:assign/2).
func (ip IP) assignTo(account string, by history.Actor, at int64) IP {
	doc := maps.Clone(ip.doc)
	doc[fieldStatus] = assigned
	doc[fieldAssignedTo] = account
	history.Record(doc, ip.doc, by, at)
	return IP{doc}
}

// release returns the address as it is once it is available (Kazoo: kz_ip:release/1).
func (ip IP) release(by history.Actor, at int64) IP {
	doc := maps.Clone(ip.doc)
	doc[fieldStatus] = available
	delete(doc, fieldAssignedTo)
	history.Record(doc, ip.doc, by, at)
	return IP{doc}
}
