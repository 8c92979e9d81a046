package doctor

import (
	"context"
	"strings"

	"junctor/pkg/kazoo"
)

// databases are those that Kazoo has, by what it means if one is missing.
var databases = []struct {
	names   []string
	missing State
	remedy  string
}{
	{[]string{kazoo.Accounts, kazoo.SystemConfig, kazoo.SystemAuth}, Broken,
		"is this the right CouchDB? A Kazoo makes its databases when it starts; where no Kazoo will ever be, " +
			"\"junctor bootstrap\" makes them"},
	{[]string{kazoo.Services}, Warning,
		"\"sup kapps_maintenance refresh DATABASE\" creates them; without them no account is a reseller"},
	{[]string{kazoo.DedicatedIPs}, Warning, "nothing: junctor makes it when it starts to serve"},
}

func (e *examination) databases(ctx context.Context) Finding {
	var found []Finding
	for _, kind := range databases {
		missing, err := e.missing(ctx, kind.names)
		if err != nil {
			return failed(err)
		}
		if len(missing) > 0 {
			text := "not there: " + strings.Join(missing, ", ")
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
