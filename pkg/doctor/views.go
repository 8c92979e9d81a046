package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	couchdbviews "junctor/couchdb-views"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/pooldb"
	"junctor/pkg/store"
)

// texts are the SHA-256 of Kazoo's texts of _design/dedicated_ips, see fingerprint. Kazoo compares its own with what is
// installed, byte by byte, and CouchDB builds the index anew when one differs.
var texts = map[string]string{
	"c2837f6d63029c2eeec1fbc961b7a26f684c4c12c8426e0f1aea9b670922c165": "as Kazoo 4.0 to 4.3 writes them",
	"4f6c722a43c0e5f30d80211b3a59c85cd48143d4b1bae62cc98b45f1cd6faee1": "as Kazoo's master writes them",
}

// fingerprint returns the SHA-256 of the views and the language of a design document, as JSON with sorted keys.
func fingerprint(design document.Document) (string, error) {
	text, err := document.Encode(map[string]any{"language": design["language"], "views": design["views"]})
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:]), err
}

// kazooViews looks at the design document of the pool, which is Kazoo's.
func (e *examination) kazooViews(ctx context.Context) Finding {
	const refresh = "\"sup kapps_maintenance refresh dedicated_ips\" in Kazoo installs its own"
	ours, err := store.Design(couchdbviews.Files, "dedicated_ips.json")
	if err != nil {
		return failed(err)
	}
	installed, err := e.store.Get(ctx, kazoo.DedicatedIPs, ours.ID())
	switch {
	case fault.Is(err, fault.BadIdentifier), fault.Is(err, fault.DatastoreMissing):
		return warning(ours.ID()+" is missing", "nothing: junctor installs Kazoo's text when it starts to serve")
	case err != nil:
		return failed(err)
	}
	wanted := viewsOf(ours)
	if missing := lacking(installed, wanted); len(missing) > 0 {
		return broken(ours.ID()+" has no "+strings.Join(missing, ", "), refresh+"; junctor never rewrites it")
	}
	if text := e.failing(ctx, kazoo.DedicatedIPs, installed, wanted); text != "" {
		return broken(text, refresh+"; junctor never rewrites it")
	}
	text, err := e.recognize(ctx, ours, installed)
	switch {
	case err != nil:
		return failed(err)
	case text == "":
		return warning(ours.ID()+" is not the text of a known version of Kazoo",
			"compare it with Kazoo's text: junctor lists what its views list; "+refresh)
	}
	return fine("%s, and they can be queried", text)
}

// recognize returns whose text a design document is, or "".
func (e *examination) recognize(ctx context.Context, ours, installed document.Document) (string, error) {
	sum, err := fingerprint(installed)
	if err != nil {
		return "", err
	}
	if text, ok := texts[sum]; ok {
		return text, nil
	}
	if same(installed, ours) {
		return "as junctor writes them where no Kazoo has", nil
	}
	source, err := pooldb.KazooText(ctx, e.store)
	if err == nil && same(installed, source) {
		return "as this Kazoo writes them", nil
	}
	return "", err
}

func same(a, b document.Document) bool {
	return a["language"] == b["language"] && reflect.DeepEqual(a["views"], b["views"])
}

// viewsOf returns the names of the views of a design document.
func viewsOf(design document.Document) []string {
	views, _ := design["views"].(map[string]any)
	return slices.Sorted(maps.Keys(views))
}

// lacking returns which of the wanted views a design document does not have.
func lacking(design document.Document, wanted []string) []string {
	have := viewsOf(design)
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(have, name) })
}

// failing reads a row of each view, and returns what is wrong with the first that fails, "" if none does.
func (e *examination) failing(ctx context.Context, db string, design document.Document, names []string) string {
	_, id, _ := strings.Cut(design.ID(), "/")
	views, _ := design["views"].(map[string]any)
	for _, name := range names {
		view, _ := views[name].(map[string]any)
		q := store.Query{Limit: 1, Group: view["reduce"] != nil}
		err := e.store.View(ctx, db, id, name, q, func(row store.Row) error {
			var value any
			return row.Value(&value)
		})
		if err != nil {
			return fmt.Sprintf("view %s/%s can't be queried: %s", id, name, reason(err))
		}
	}
	return ""
}
