package embedded

import (
	"errors"
	"fmt"
	"net/http"

	bolterrors "go.etcd.io/bbolt/errors"
)

// Error is a refusal in CouchDB's words. Its text is what kivik's couch driver makes of the same answer, so code
// that reads either driver's errors needs one rule.
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
	errClosed = &Error{http.StatusServiceUnavailable, "The store is closed."}
)

// errStale says that what a write was prepared from has changed since: prepare it again.
var errStale = errors.New("prepared from an older state")

func badRequest(format string, args ...any) error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func notSupported(what string) error {
	return &Error{http.StatusNotImplemented, what + " is not supported by the embedded store"}
}

// boltError gives bbolt's "not open" the meaning it has here.
func boltError(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}
