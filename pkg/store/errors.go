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
	kind := kindOf(operation, err)
	return fault.Wrap(kind, fmt.Errorf("%s %s: %w", operation, db, err))
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

// missing tells what a 404 is about. CouchDB says it only in the reason: "missing" and "deleted" are about the
// document or design document asked for, these two about its database.
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
