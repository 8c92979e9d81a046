package sup

import (
	"errors"
	"fmt"

	"junctor/pkg/fault"
)

// held is the reason why an address can't be had that belongs to somebody else.
const held = "forbidden"

// cooling is the reason why an address can't be had that another account gave back a short time ago. Kazoo does not know
// it.
const cooling = "cooling"

// kazoos are the failures that Kazoo ends with exit code 0, and the names it has for them.
var kazoos = map[fault.Kind]string{
	fault.BadIdentifier:        "not_found",
	fault.DatastoreMissing:     "not_found",
	fault.DatastoreMissingView: "not_found",
	fault.Conflict:             "conflict",
}

// result returns what sup prints: success, or why not. holding names an address that somebody else has.
func result(err error, success, failure, holding string) (string, int) {
	if err == nil {
		return success, 0
	}
	switch why := reason(err, holding); why {
	case "":
		return fmt.Sprintf(failure, said(err)), failed
	case cooling:
		return fmt.Sprintf(failure, why), failed
	default:
		return fmt.Sprintf(failure, why), 0
	}
}

// reason returns Kazoo's name for a failure, "" if it has none.
func reason(err error, holding string) string {
	var e *fault.Error
	if !errors.As(err, &e) {
		return ""
	}
	fields, _ := e.Data.(fault.Fields)
	for _, codes := range fields {
		for code := range codes {
			return reasonOf(code, holding)
		}
	}
	return kazoos[e.Kind]
}

// reasonOf names what is wrong with an address that is asked for. Kazoo has no name for the release of a free one:
// it crashes there.
func reasonOf(code, holding string) string {
	switch {
	case code == "superfluous" && holding == "already_assigned", code == held && holding != "":
		return holding
	case code == "superfluous":
		return "not_assigned"
	case code == held, code == cooling:
		return code
	default: // an address of no pool, or no address
		return "not_found"
	}
}

// said is a failure in words.
func said(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return err.Error()
}
