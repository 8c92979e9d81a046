package account

import (
	"strings"

	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// idLength is all that Kazoo asks of an account id (MATCH_ACCOUNT_RAW). In practice it is 32 hex digits.
const idLength = 32

// ValidID reports whether id has the shape of an account id. The account need not exist.
func ValidID(id string) bool { return len(id) == idLength }

// inName are the characters that CouchDB takes in the name of a database, but for the slash, which divides ours.
const inName = "abcdefghijklmnopqrstuvwxyz0123456789_$()+-"

// Database returns the name of an account's own database, as CouchDB knows it. An id for which there can be no
// database, because CouchDB takes no such name, is fault.BadIdentifier like any other account that does not
// exist.
func Database(id string) (string, error) {
	if !ValidID(id) || strings.Trim(id, inName) != "" {
		return "", fault.Unknown(id, nil)
	}
	return kazoo.AccountPrefix + id[:2] + "/" + id[2:4] + "/" + id[4:], nil
}

// EncodedDatabase returns the name of the database of an account as documents spell it (pvt_account_db). The id is one
// that Database takes.
func EncodedDatabase(id string) string {
	return "account%2F" + id[:2] + "%2F" + id[2:4] + "%2F" + id[4:]
}
