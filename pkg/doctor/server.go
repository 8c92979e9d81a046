package doctor

import (
	"context"
	"strconv"
	"strings"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// examineServer looks at a CouchDB itself. If the first of the findings is broken, it can't be worked with.
func (e *examination) examineServer(ctx context.Context) []Finding {
	var err error
	asked := e.Now()
	e.server, err = store.Ask(ctx, e.CouchDB)
	answered := e.Now()
	if err != nil {
		f := serverFailed(err)
		f.Check = "server"
		return []Finding{f}
	}
	e.offset = e.server.Clock.Sub(asked.Add(answered.Sub(asked) / 2))
	version, rights, clock := e.version(), e.rights(), e.clock()
	version.Check, rights.Check, clock.Check = "server", "rights", "clock"
	return []Finding{version, rights, clock}
}

func serverFailed(err error) Finding {
	switch {
	case fault.Is(err, fault.Forbidden) && strings.Contains(err.Error(), "locked"):
		return broken("CouchDB has locked this name out: "+reason(err),
			"look what on this machine gives a wrong one, and stop that; five minutes later the right one is good again")
	case fault.Is(err, fault.Forbidden):
		return broken("CouchDB does not take this name and password: "+reason(err),
			"put those into --store that Kazoo has in its config.ini")
	case fault.Is(err, fault.DatastoreUnreachable):
		return broken("CouchDB does not answer: "+reason(err),
			"look whether the address is right, and whether a firewall is between; Kazoo's HAProxy often listens on 15984")
	}
	return broken(reason(err), "look whether --store is the address of a CouchDB")
}

// oldest is the first version of CouchDB whose clusters and views work as we expect.
const oldest = 2

func (e *examination) version() Finding {
	name := e.server.Vendor
	if name == "" {
		name = "CouchDB"
	}
	number, _, _ := strings.Cut(e.server.Version, ".")
	if major, err := strconv.Atoi(number); err != nil || major < oldest {
		return warning(name+" "+e.server.Version, "nobody tried junctor on a CouchDB before 2: try it on a replica first")
	}
	return fine("%s %s", name, e.server.Version)
}

func (e *examination) rights() Finding {
	if !e.server.Admin {
		return broken("this user is no administrator of CouchDB, who alone writes design documents and makes databases",
			"put the user into --store that Kazoo has in its config.ini")
	}
	return fine("administrator")
}

// How far clocks may be apart: tokens end to the second on either side, and last an hour.
const (
	noticeable  = 5 * time.Second
	intolerable = 5 * time.Minute
)

func (e *examination) clock() Finding {
	const remedy = "have both machines set their clocks by NTP: tokens end early or late, and dates in documents are off"
	if e.server.Clock.IsZero() {
		return fine("CouchDB does not tell its time")
	}
	apart := e.offset.Abs()
	direction := "behind"
	if e.offset > 0 {
		direction = "ahead of"
	}
	found := "CouchDB's clock is " + apart.Round(time.Second).String() + " " + direction + " ours"
	switch {
	case apart >= intolerable:
		return broken(found, remedy)
	case apart >= noticeable:
		return warning(found, remedy)
	}
	return fine("CouchDB's clock agrees with ours")
}
