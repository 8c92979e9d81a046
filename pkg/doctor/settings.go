package doctor

import (
	"context"

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
