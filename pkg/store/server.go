package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-kivik/kivik/v4/couchdb/chttp"

	"junctor/pkg/fault"
)

// Server describes a CouchDB, and the rights of the user that reads from it.
type Server struct {
	Vendor  string // empty for CouchDB itself
	Version string
	Clock   time.Time // to the second; zero if the response has no date
	Admin   bool      // databases and design documents may be written
}

// askTime bounds how long Ask waits for a server.
const askTime = 10 * time.Second

// Ask returns the description of a CouchDB, the dsn of Open. It is the beginning of every diagnosis: a wrong address or
// password is a fault.DatastoreUnreachable or a fault.Forbidden.
func Ask(ctx context.Context, dsn string) (Server, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	_, couch, connections, err := dial(dsn)
	if err != nil {
		return Server{}, fault.Wrap(fault.DatastoreUnreachable, err)
	}
	defer connections.CloseIdleConnections()
	var welcome struct {
		Version string
		Vendor  struct{ Name string }
	}
	header, err := read(ctx, couch, "", &welcome)
	if err != nil {
		return Server{}, err
	}
	if welcome.Version == "" {
		return Server{}, errNotCouchDB
	}
	var session struct {
		UserCtx struct{ Roles []string }
	}
	if _, err := read(ctx, couch, "_session", &session); err != nil {
		return Server{}, err
	}
	server := Server{Version: welcome.Version, Admin: slices.Contains(session.UserCtx.Roles, "_admin")}
	if vendor := welcome.Vendor.Name; vendor != "The Apache Software Foundation" {
		server.Vendor = vendor
	}
	server.Clock, _ = http.ParseTime(header.Get("Date"))
	return server, nil
}

var errNotCouchDB = fault.Wrap(fault.DatastoreFault, errors.New("the server there is not a CouchDB"))

// read reads one response of a server.
func read(ctx context.Context, couch *chttp.Client, path string, into any) (http.Header, error) {
	response, err := couch.DoReq(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, fault.Wrap(fault.DatastoreUnreachable, err)
	}
	if err := chttp.ResponseError(response); Refused(err) {
		return nil, fault.Wrap(fault.Forbidden, err)
	} else if err != nil {
		return nil, fault.Wrap(fault.DatastoreFault, fmt.Errorf("GET /%s: %w", path, err))
	}
	if chttp.DecodeJSON(response, into) != nil {
		return nil, errNotCouchDB
	}
	return response.Header, nil
}
