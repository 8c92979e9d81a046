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
	asked := time.Now()
	server, err := store.Ask(ctx, e.CouchDB)
	if err != nil {
		f := serverFailed(err)
		f.Check = "server"
		return []Finding{f}
	}
	ours := asked.Add(time.Since(asked) / 2)
	version, rights, clock := versionOf(server), rightsOn(server), clockOf(server, ours)
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

func versionOf(server store.Server) Finding {
	name := server.Vendor
	if name == "" {
		name = "CouchDB"
	}
	number, _, _ := strings.Cut(server.Version, ".")
	if major, err := strconv.Atoi(number); err != nil || major < oldest {
		return warning(name+" "+server.Version, "nobody tried junctor on a CouchDB before 2: try it on a replica first")
	}
	return fine("%s %s", name, server.Version)
}

func rightsOn(server store.Server) Finding {
	if !server.Admin {
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

// clockOf compares the clock of a CouchDB with what ours was when it responded.
func clockOf(server store.Server, ours time.Time) Finding {
	const remedy = "have both machines set their clocks by NTP: tokens end early or late, and dates in documents are off"
	if server.Clock.IsZero() {
		return fine("CouchDB does not tell its time")
	}
	offset := server.Clock.Sub(ours)
	apart := offset.Abs()
	direction := "behind"
	if offset > 0 {
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
