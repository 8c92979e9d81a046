// Package kazoo holds the names that Kazoo's databases and documents are made of, so that each stands in one place.
//
// It knows names and shapes, not rules: what a document of a type has to hold is known by the package that writes it.
package kazoo

import (
	"regexp"
	"strconv"
	"strings"
	"time"
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

// AccountPrefix begins the names of accounts' databases (kz_util format_account_db).
const AccountPrefix = "account/"

// The private fields that documents of several types have.
const (
	FieldType     = "pvt_type"
	FieldVersion  = "pvt_vsn"
	FieldCreated  = "pvt_created"  // Gregorian seconds
	FieldModified = "pvt_modified" // Gregorian seconds
	FieldDeleted  = "pvt_deleted"
)

// FieldNotes is what operators note about an address, a public field that only junctor writes.
const FieldNotes = "notes"

// The type of a dedicated IP's document, its fields, and the values of FieldStatus (kz_ip).
const (
	TypeDedicatedIP = "dedicated_ip"
	FieldZone       = "pvt_zone"
	FieldHost       = "pvt_host"
	FieldStatus     = "pvt_status"
	FieldAssignedTo = "pvt_assigned_to" // the account that holds it
	Available       = "available"
	Assigned        = "assigned"
)

// Generation returns the number a revision begins with: how many writes made the document. It is 0 for what is no
// revision.
func Generation(rev string) int {
	number, _, _ := strings.Cut(rev, "-")
	n, _ := strconv.Atoi(number)
	return n
}

var id = regexp.MustCompile(`^[0-9a-f]{32}$`)

// IsID reports whether text has the shape of the ids that Kazoo makes (kz_binary:rand_hex(16)).
func IsID(text string) bool { return id.MatchString(text) }

// gregorianEpoch is the Unix epoch in Gregorian seconds, which count from the year 0. Kazoo's documents state times in
// them.
const gregorianEpoch = 62167219200

// Gregorian returns t in Gregorian seconds.
func Gregorian(t time.Time) int64 { return t.Unix() + gregorianEpoch }

// FromGregorian returns the time of a number of Gregorian seconds.
func FromGregorian(seconds int64) time.Time { return time.Unix(seconds-gregorianEpoch, 0).UTC() }

// Alphanumeric returns the ASCII letters of a name, in lower case, and its digits. Kazoo finds accounts by that
// (kzd_accounts normalize_name) and stores it as pvt_alphanum_name (crossbar_doc add_pvt_alphanum_name).
func Alphanumeric(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		}
		return -1
	}, name)
}
