package account

import (
	"crypto/md5"  //nolint:gosec // Kazoo's choice, which its clients compute
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/subtle"
	"encoding/hex"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// The hashes of a password, by Kazoo's names.
const (
	MD5 = "md5"
	SHA = "sha"
)

// Hash is the hash of a user's name and password. It belongs into no log.
type Hash struct {
	Kind  string // MD5 or SHA
	Value string // lower-case hex
}

// HashPassword hashes a name and a password as Kazoo does (kzd_module_utils pass_hashes): unsalted, and without
// regard to the case of the name.
func HashPassword(kind, username, password string) Hash {
	text := []byte(lowerName(username) + ":" + password)
	if kind == SHA {
		sum := sha1.Sum(text) //nolint:gosec // see the import
		return Hash{kind, hex.EncodeToString(sum[:])}
	}
	sum := md5.Sum(text) //nolint:gosec // see the import
	return Hash{kind, hex.EncodeToString(sum[:])}
}

// lowerName returns a user's name in lower case as browsers' JavaScript does it, since they compute the hash:
// strings.ToLower knows no final sigma ("ΟΔΥΣΣΕΥΣ" is "οδυσσευς").
func lowerName(username string) string { return cases.Lower(language.Und).String(username) }

// Opens reports whether a user's document has the hash, and the user may log in.
func (h Hash) Opens(user document.Document) bool {
	known := user.String("pvt_md5_auth")
	if h.Kind == SHA {
		known = user.String("pvt_sha1_auth")
	}
	same := subtle.ConstantTimeCompare([]byte(known), []byte(h.Value)) == 1
	return same && known != "" && isUser(user)
}

// ActiveUser reports whether a document is that of a user who is neither deleted nor disabled.
func ActiveUser(doc document.Document) bool {
	return doc.String(kazoo.FieldType) == "user" && !doc.Bool(kazoo.FieldDeleted) && !Disabled(doc)
}

// Disabled reports whether the document of a user or a device says that it is not enabled. One that says nothing is
// enabled (kzd_users:enabled).
func Disabled(doc document.Document) bool { return doc["enabled"] != nil && !doc.Bool("enabled") }

// isUser reports whether a document is that of a user who may log in; Kazoo's views of them list no others.
func isUser(doc document.Document) bool {
	return doc.String(kazoo.FieldType) == "user" && !doc.Bool(kazoo.FieldDeleted) && doc.Bool("enabled")
}
