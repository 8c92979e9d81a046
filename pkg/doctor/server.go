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
		return broken("CouchDB has locked this user out: "+reason(err),
			"find the program on this machine that sends a wrong password, and stop it; CouchDB unlocks five minutes later")
	case fault.Is(err, fault.Forbidden):
		return broken("CouchDB refuses this user and password: "+reason(err),
			"put the user and password of Kazoo's config.ini into --store")
	case fault.Is(err, fault.DatastoreUnreachable):
		return broken("CouchDB does not respond: "+reason(err),
			"check the address in --store, and whether a firewall is in between; Kazoo's HAProxy often listens on 15984")
	}
	return broken(reason(err), "check whether --store is the address of a CouchDB")
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
		return warning(name+" "+server.Version, "junctor was never tried on a CouchDB before version 2: try it on a replica first")
	}
	return fine("%s %s", name, server.Version)
}

func rightsOn(server store.Server) Finding {
	if !server.Admin {
		return broken("the user in --store is not an administrator of CouchDB: only administrators create databases and write design documents",
			"put the user and password of Kazoo's config.ini into --store")
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
	const remedy = "set the clocks of both machines by NTP: otherwise tokens expire early or late, and dates in documents are wrong"
	if server.Clock.IsZero() {
		return fine("CouchDB does not send its time")
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
