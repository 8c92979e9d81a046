package kazoocluster

import "regexp"

// validID is what Kazoo makes (kz_binary:rand_hex(16)). Anything else could be the path to a document of another
// sort.
var validID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// ValidID reports whether id has the shape of a cluster id, which says nothing about whether there is one.
func ValidID(id string) bool { return validID.MatchString(id) }
