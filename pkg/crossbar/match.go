package crossbar

import (
	"strings"

	"junctor/pkg/fault"
)

// RefuseIfMatch refuses If-Match, other than "*", where what the path names has no revision.
func (r *Request) RefuseIfMatch() error {
	if wanted := r.Header.Values("If-Match"); len(wanted) > 0 && !match(wanted, "") {
		return fault.New(fault.PreconditionFailed, "")
	}
	return nil
}

// RevisionMatch returns the check that If-Match asks for, nil if there is no such header.
func (r *Request) RevisionMatch() func(revision string) bool {
	wanted := r.Header.Values("If-Match")
	if len(wanted) == 0 {
		return nil
	}
	return func(revision string) bool { return match(wanted, revision) }
}

// match reports whether one of the entity tags in a header is that of revision. Both If-Match and If-None-Match
// may hold several, and "*" for any that exists.
func match(headers []string, revision string) bool {
	for _, tag := range strings.Split(strings.Join(headers, ","), ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || revision != "" && strings.Trim(tag, `"`) == revision {
			return true
		}
	}
	return false
}
