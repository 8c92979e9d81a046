// Package kazoo holds the names that Kazoo's databases and documents are made of, so that each stands in one place.
//
// It knows names and shapes, not rules: what a document of a type has to hold is known by the package that writes it.
package kazoo

import (
	"strconv"
	"strings"
)

// The databases of Kazoo that junctor reads or writes besides those of accounts (kz_datamgr, kz_types.hrl).
const (
	DedicatedIPs = "dedicated_ips"
	Accounts     = "accounts"
	Services     = "services"
	SystemAuth   = "system_auth"
	SystemConfig = "system_config"
	SystemData   = "system_data"
	TokenAuth    = "token_auth"
)

// The private fields that documents of several types have.
const (
	FieldType       = "pvt_type"
	FieldVersion    = "pvt_vsn"
	FieldCreated    = "pvt_created"  // Gregorian seconds
	FieldModified   = "pvt_modified" // Gregorian seconds
	FieldDeleted    = "pvt_deleted"
	FieldAssignedTo = "pvt_assigned_to" // of a dedicated IP: the account that holds it
)

// Generation returns the number a revision begins with: how many writes made the document. It is 0 for what is no
// revision.
func Generation(rev string) int {
	number, _, _ := strings.Cut(rev, "-")
	n, _ := strconv.Atoi(number)
	return n
}
