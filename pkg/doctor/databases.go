package doctor

import (
	"context"
	"strings"

	"junctor/pkg/kazoo"
)

// databases are those of Kazoo, with what it means if one is missing.
var databases = []struct {
	names   []string
	missing State
	remedy  string
}{
	{[]string{kazoo.Accounts, kazoo.SystemConfig, kazoo.SystemAuth}, Broken,
		"is this the right CouchDB? A Kazoo creates its databases when it starts; if no Kazoo will use this store, " +
			"\"junctor bootstrap\" creates them"},
	{[]string{kazoo.Services}, Warning,
		"\"sup kapps_maintenance refresh DATABASE\" creates them; without them no account is a reseller"},
	{[]string{kazoo.DedicatedIPs}, Warning, "nothing: junctor creates it when it starts to serve"},
}

func (e *examination) databases(ctx context.Context) Finding {
	var found []Finding
	for _, kind := range databases {
		missing, err := e.missing(ctx, kind.names)
		if err != nil {
			return failed(err)
		}
		if len(missing) > 0 {
			text := "missing: " + strings.Join(missing, ", ")
			found = append(found, Finding{State: kind.missing, Found: text, Remedy: kind.remedy})
		}
	}
	return sum(found, fine("all databases of Kazoo exist"))
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
