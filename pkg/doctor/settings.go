package doctor

import (
	"context"
	"maps"
	"slices"
	"strings"

	"junctor/pkg/account"
	"junctor/pkg/kazoo"
)

// restart is what makes Kazoo write a setting that it lacks.
const restart = "restart Kazoo's applications, which write what is missing"

// The settings that everything hangs on, each a document and a key in it.
var settings = []struct {
	document, key string
	without       State
	why           string
}{
	{"auth", "secret_for_user_signature", Broken, "no token can be issued or verified"},
	{"auth", "system_key", Broken, "no token can be issued"},
	{"accounts", "master_account_id", Broken, "no account is the operator's"},
	{"cluster", "cluster_id", Warning, "routing does not know the id of the own cluster"},
}

// settings looks for what is read of the settings.
func (e *examination) settings(ctx context.Context) Finding {
	var found []Finding
	for _, s := range settings {
		value, err := e.config.Text(ctx, s.document, s.key)
		if err != nil {
			return failed(err)
		}
		if value == "" {
			text := kazoo.SystemConfig + "/" + s.document + " has no " + s.key + ": " + s.why
			found = append(found, Finding{State: s.without, Found: text, Remedy: restart})
		}
	}
	return sum(found, fine("all there"))
}

// sections checks whether nodes or zones have values of their own for what the whole cluster has to agree on. They may
// be secrets, and are not shown.
func (e *examination) sections(ctx context.Context) Finding {
	var found []Finding
	for _, s := range settings {
		doc, err := e.store.Get(ctx, kazoo.SystemConfig, s.document)
		if account.Missing(err) {
			continue
		}
		if err != nil {
			return failed(err)
		}
		common, _ := doc[account.DefaultSection].(map[string]any)
		var others []string
		for _, name := range slices.Sorted(maps.Keys(doc)) {
			section, _ := doc[name].(map[string]any)
			if own, ok := section[s.key].(string); ok && own != common[s.key] {
				others = append(others, name)
			}
		}
		if len(others) > 0 {
			found = append(found, warning(
				"in "+kazoo.SystemConfig+"/"+s.document+", "+s.key+" is another one in section "+strings.Join(others, ", "),
				"make all nodes read the same value: remove it from that section, or give \"junctor serve\" the --zone of the section"))
		}
	}
	return sum(found, fine("nodes and zones agree on what has to be the same everywhere"))
}
