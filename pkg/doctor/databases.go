package doctor

import (
	"context"
	"strings"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/kazoo"
)

// Kazoo's databases, by what it means that one is not there.
var (
	vital   = []string{kazoo.Accounts, kazoo.SystemConfig, kazoo.SystemAuth}
	useful  = []string{kazoo.Services}
	created = []string{dedicatedip.Database}
)

func (e *examination) databases(ctx context.Context) Finding {
	var found []Finding
	for _, kind := range []struct {
		names []string
		say   func(names string) Finding
	}{
		{vital, func(names string) Finding {
			return broken("not there: "+names, "is this the right CouchDB? A Kazoo makes its databases when it starts; "+
				"where no Kazoo will ever be, \"junctor bootstrap\" makes them")
		}},
		{useful, func(names string) Finding {
			return warning("not there: "+names, "\"sup kapps_maintenance refresh DATABASE\" creates them; without them no "+
				"account is a reseller")
		}},
		{created, func(names string) Finding {
			return warning("not there: "+names, "nothing: junctor makes it when it starts to serve")
		}},
	} {
		missing, err := e.missing(ctx, kind.names)
		if err != nil {
			return failed(err)
		}
		if len(missing) > 0 {
			found = append(found, kind.say(strings.Join(missing, ", ")))
		}
	}
	if whole, some := sum(found...); some {
		return whole
	}
	return fine("all there that Kazoo brings")
}

func (e *examination) missing(ctx context.Context, names []string) (missing []string, err error) {
	for _, name := range names {
		exists, err := e.store.DatabaseExists(ctx, name)
		if err != nil {
			return nil, err
		}
		if !exists {
			missing = append(missing, name)
		}
	}
	return missing, nil
}
