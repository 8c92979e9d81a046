package store

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-kivik/kivik/v4"

	"junctor/pkg/fault"
)

// classify is the one place where an error of kivik becomes a fault.
func classify(operation, db string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s %s: %w", operation, db, err)
	if kivik.HTTPStatus(err) == http.StatusRequestEntityTooLarge {
		return &fault.Error{Kind: fault.Invalid, Data: tooLarge(), Err: err}
	}
	return fault.Wrap(kindOf(operation, err), err)
}

// tooLarge is what is wrong with a document of more than 8,000,000 bytes, unless a CouchDB is configured otherwise.
func tooLarge() fault.Fields {
	fields := fault.Fields{}
	fields.Add("", "maxSize", "The document is larger than the store takes", nil)
	return fields
}

func kindOf(operation string, err error) fault.Kind {
	switch kivik.HTTPStatus(err) {
	case http.StatusNotFound:
		return missing(operation, err)
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusNotImplemented:
		return fault.NotImplemented
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fault.DatastoreUnreachable
	}
	return fault.DatastoreFault
}

// Refused reports whether err is the response of a CouchDB to a name and password that it does not take. From 3.4 on it
// locks a name out after five of those in five minutes, for everybody on the same machine: a Kazoo there, too.
func Refused(err error) bool {
	status := kivik.HTTPStatus(err)
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// missing returns the kind of a 404. CouchDB shows only in the reason what is missing: "missing" and "deleted" are about
// the document or design document, the two texts here about the database.
func missing(operation string, err error) fault.Kind {
	text := err.Error()
	if strings.Contains(text, "Database does not exist") || strings.Contains(text, "no_db_file") {
		return fault.DatastoreMissing
	}
	if operation == "view" {
		return fault.DatastoreMissingView
	}
	return fault.BadIdentifier
}

// Unacceptable reports whether err says that a store does not take a document as it is, as one that is too large, has an
// id that it does not allow, or is a design document that it can't run.
func Unacceptable(err error) bool {
	status := kivik.HTTPStatus(err)
	return status >= 400 && status < 500 && status != http.StatusUnauthorized || status == http.StatusNotImplemented
}
