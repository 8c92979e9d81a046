package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

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
	address, err := url.Parse(dsn)
	if err != nil {
		return Server{}, fault.Wrap(fault.DatastoreUnreachable, errors.New("not a URL"))
	}
	var welcome struct {
		Version string
		Vendor  struct{ Name string }
	}
	header, err := question(ctx, address, "", &welcome)
	if err != nil {
		return Server{}, err
	}
	if welcome.Version == "" {
		return Server{}, fault.Wrap(fault.DatastoreFault, errors.New("the server there is not a CouchDB"))
	}
	var session struct {
		UserCtx struct{ Roles []string }
	}
	if _, err := question(ctx, address, "_session", &session); err != nil {
		return Server{}, err
	}
	server := Server{Version: welcome.Version, Admin: slices.Contains(session.UserCtx.Roles, "_admin")}
	if vendor := welcome.Vendor.Name; vendor != "The Apache Software Foundation" {
		server.Vendor = vendor
	}
	server.Clock, _ = http.ParseTime(header.Get("Date"))
	return server, nil
}

// question reads one response of a server.
func question(ctx context.Context, address *url.URL, path string, into any) (http.Header, error) {
	target := address.JoinPath(path)
	target.User = nil
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, fault.Wrap(fault.DatastoreUnreachable, errors.New("not a URL"))
	}
	r.Header.Set("Accept", "application/json")
	if user := address.User; user != nil {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fault.Wrap(fault.DatastoreUnreachable, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return nil, fault.Wrap(fault.Forbidden, errors.New(response.Status+why(response.Body)))
	case response.StatusCode != http.StatusOK:
		return nil, fault.Wrap(fault.DatastoreFault, fmt.Errorf("GET /%s: %s", path, response.Status))
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return nil, fault.Wrap(fault.DatastoreFault, errors.New("the server there is not a CouchDB"))
	}
	return response.Header, nil
}

// why returns the reason that a CouchDB gives for a refusal, to be put behind its status.
func why(body io.Reader) string {
	var said struct{ Reason string }
	if err := json.NewDecoder(body).Decode(&said); err != nil || said.Reason == "" {
		return ""
	}
	return ": " + said.Reason
}
