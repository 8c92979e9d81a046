package embedded

import (
	"fmt"
	"net/http"
)

// Error is an error in CouchDB's words. Its text is the one that kivik's couch driver makes of the same response, so code
// that reads the errors of both drivers needs one rule.
type Error struct {
	Status int
	Reason string
}

// Error names the status and the reason.
func (e *Error) Error() string {
	return http.StatusText(e.Status) + ": " + e.Reason
}

// HTTPStatus is what kivik.HTTPStatus reads.
func (e *Error) HTTPStatus() int {
	return e.Status
}

var (
	errConflict   = &Error{http.StatusConflict, "Document update conflict."}
	errMissing    = &Error{http.StatusNotFound, "missing"}
	errDeleted    = &Error{http.StatusNotFound, "deleted"}
	errNoDatabase = &Error{http.StatusNotFound, "Database does not exist."}
	errNoView     = &Error{http.StatusNotFound, "missing_named_view"}
	errExists     = &Error{http.StatusPreconditionFailed,
		"The database could not be created, the file already exists."}
)

func badRequest(format string, args ...any) error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func notSupported(what string) error {
	return &Error{http.StatusNotImplemented, what + " is not supported by the embedded store"}
}
