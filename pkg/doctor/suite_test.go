package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// The accounts of the Kazoo that the tests load: its master, one, and a child of that.
const (
	master = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
	other  = "09c766718e5cfdbc70c929dccb4e00fc"
	child  = "20d27928305e257782655b7896c79f14"
	gone   = "ffffffffffffffffffffffffffffffff"
)

// patient is a Kazoo's store under examination.
type patient struct {
	*testing.T
	*store.Store
	dsn string // of a CouchDB; empty is an embedded store
}

// visit opens a store as it is.
func visit(t *testing.T, dsn string) *patient {
	t.Helper()
	p := &patient{T: t, Store: storetest.Open(t, dsn)}
	if store.IsCouchDB(dsn) {
		p.dsn = dsn
	}
	return p
}

// admit opens a store with the databases and design documents of a real Kazoo, and adds addresses that one of its
// accounts holds.
func admit(t *testing.T) *patient {
	t.Helper()
	p := &patient{T: t, Store: storetest.Kazoo.Open(t)}
	p.addAddresses()
	return p
}

// admitCouchDB is admit on a CouchDB.
func admitCouchDB(t *testing.T) *patient {
	t.Helper()
	p := visit(t, storetest.FreshCouch(t))
	testutil.LoadKazoo(t, p.Store)
	p.addAddresses()
	return p
}

func (p *patient) addAddresses() {
	p.Helper()
	p.put("dedicated_ips", free("192.0.2.1"))
	p.give(other, "192.0.2.2", "2001:db8::1")
}

func free(id string) string {
	return fmt.Sprintf(`{"_id":%q,"pvt_vsn":"1","pvt_type":"dedicated_ip","pvt_status":"available","pvt_zone":"us-east",
		"pvt_host":"proxy1","pvt_created":63900000000,"pvt_modified":63900000000}`, id)
}

func held(id, holder string) string {
	return strings.Replace(free(id), `"available"`, fmt.Sprintf(`"assigned","pvt_assigned_to":%q`, holder), 1)
}

// give makes addresses ones that an account holds, with their copies.
func (p *patient) give(accountID string, ids ...string) {
	p.Helper()
	for _, id := range ids {
		p.put("dedicated_ips", held(id, accountID))
		p.put(p.accountDB(accountID), held(id, accountID))
	}
}

func (p *patient) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *patient) accountDB(id string) string {
	p.Helper()
	db, err := account.Database(id)
	p.ok(err)
	return db
}

func (p *patient) put(db, text string) {
	p.Helper()
	doc, err := document.Decode([]byte(text))
	p.ok(err)
	_, err = p.Put(p.Context(), db, doc)
	p.ok(err)
}

func (p *patient) remove(db, id string) {
	p.Helper()
	doc, err := p.Get(p.Context(), db, id)
	p.ok(err)
	p.ok(p.Delete(p.Context(), db, id, doc.Rev()))
}

// change alters a document; path leads to an object in it, and a nil value removes a key.
func (p *patient) change(db, id string, value any, path ...string) {
	p.Helper()
	_, err := p.Update(p.Context(), db, id, func(doc document.Document) error {
		object := map[string]any(doc)
		for _, key := range path[:len(path)-1] {
			object = object[key].(map[string]any)
		}
		if object[path[len(path)-1]] = value; value == nil {
			delete(object, path[len(path)-1])
		}
		return nil
	})
	p.ok(err)
}

// request asks a CouchDB for what a store has no method for.
func (p *patient) request(method, path string, body, into any) {
	p.Helper()
	var text []byte
	if body != nil {
		var err error
		text, err = json.Marshal(body)
		p.ok(err)
	}
	r, err := http.NewRequestWithContext(p.Context(), method, p.dsn+"/"+path, bytes.NewReader(text))
	p.ok(err)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	p.ok(err)
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(response.Body)
		p.Fatalf("%s %s: %s %s", method, path, response.Status, text)
	}
	if into != nil {
		p.ok(json.NewDecoder(response.Body).Decode(into))
	}
}

// examine returns what is found, by check.
func (p *patient) examine(o Options) map[string]Finding {
	p.Helper()
	o.CouchDB = p.dsn
	findings := Examine(p.Context(), p.Store, o)
	found := map[string]Finding{}
	for _, f := range findings {
		if _, twice := found[f.Check]; twice || f.Check == "" || f.Found == "" {
			p.Errorf("unclear: %+v", f)
		}
		found[f.Check] = f
	}
	if worst := Worst(findings); worst != worstOf(found) {
		p.Errorf("the worst is %s", worst)
	}
	return found
}

func worstOf(found map[string]Finding) State {
	states := map[State]bool{}
	for _, f := range found {
		states[f.State] = true
	}
	for _, s := range []State{Broken, Warning} {
		if states[s] {
			return s
		}
	}
	return OK
}

// is checks that exactly these checks found something, and of these that they say so: "STATE: WHAT … REMEDY".
func (p *patient) is(found map[string]Finding, want map[string]string) {
	p.Helper()
	for _, name := range slices.Sorted(maps.Keys(found)) {
		f := found[name]
		pattern, ill := want[name]
		got := fmt.Sprintf("%s: %s … %s", f.State, f.Found, f.Remedy)
		switch {
		case !ill && f.State != OK:
			p.Errorf("%s should be ok, is %s", name, got)
		case ill && !like(got, pattern):
			p.Errorf("%s\n got %s\nwant %s", name, got, pattern)
		case f.State != OK && f.Remedy == "":
			p.Errorf("%s: nothing is said about what to do: %s", name, got)
		}
	}
	for name := range want {
		if _, ok := found[name]; !ok {
			p.Errorf("there is no finding about %s", name)
		}
	}
}

// like reports whether a text has the parts of a pattern, in their order.
func like(text, pattern string) bool {
	for i, part := range strings.Split(pattern, " … ") {
		at := strings.Index(text, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

// state is the list of a CouchDB's databases, what is in them, and how often each was written to, which the nodes of a
// cluster count each for itself.
func (p *patient) state() map[string]any {
	p.Helper()
	var names []string
	p.request(http.MethodGet, "_all_dbs", nil, &names)
	for _, id := range []string{master, other, child} { // which pouchdb-server does not list
		names = append(names, p.accountDB(id))
	}
	state := map[string]any{}
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		var info struct {
			Seq     any `json:"update_seq"`
			Cluster struct{ N int }
		}
		p.request(http.MethodGet, url.PathEscape(name), nil, &info)
		if info.Cluster.N > 1 {
			info.Seq = nil
		}
		var all struct{ Rows []any }
		p.request(http.MethodGet, url.PathEscape(name)+"/_all_docs", nil, &all)
		state[name] = []any{info.Seq, all.Rows}
	}
	return state
}
