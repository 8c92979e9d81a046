package api_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"junctor/pkg/api"
	"junctor/pkg/document"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/schemas"
)

// writeSchema puts a schema into the cluster's database.
func writeSchema(t testing.TB, s *store.Store, id, text string) {
	t.Helper()
	_, err := s.Update(t.Context(), "system_schemas", id, func(doc document.Document) error {
		decoded, err := document.Decode([]byte(text))
		maps.DeleteFunc(doc, func(key string, _ any) bool { return key != "_id" && key != "_rev" })
		maps.Copy(doc, decoded)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// recordedIDs are what a real Crossbar answered to GET /v2/schemas.
func recordedIDs(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/schema-ids.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

func bundledIDs(t *testing.T) []string {
	t.Helper()
	set, err := schema.Load(schemas.Files)
	if err != nil {
		t.Fatal(err)
	}
	return set.IDs()
}

// TestSchemasOfKazoo: with Kazoo's schemas in its database the list is Kazoo's, and what is bundled besides.
func TestSchemasOfKazoo(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, "memory:")
	loadKazoo(t, s)
	ids := recordedIDs(t)
	for _, id := range slices.Concat(ids, []string{"kapi.acdc", "kapi.route"}) {
		if _, err := s.Get(t.Context(), "system_schemas", id); err != nil {
			writeSchema(t, s, id, `{}`)
		}
	}
	sv := newService(t, s)
	want := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(ids), bundledIDs(t)...))))
	sv.is(sv.want(sv.send("GET", "/v2/schemas", ""), 200).data(), jsonText(want))
	sv.is(sv.send("GET", "/v2/schemas?internals=false", "").data(), jsonText(want))
	all := slices.Sorted(slices.Values(append(want, "kapi.acdc", "kapi.route")))
	sv.is(sv.send("GET", "/v2/schemas?internals=true", "").data(), jsonText(all))
	sv.is(sv.send("GET", "/v2/accounts/"+accountA+"/schemas", "").data(), jsonText(want))
}

// TestBundledSchemas: without a Kazoo there are those of our own resources.
func TestBundledSchemas(t *testing.T) {
	t.Parallel()
	f := found(t)
	f.is(f.want(f.send("GET", "/v2/schemas", ""), 200).data(), jsonText(bundledIDs(t)))
	got := f.want(f.send("GET", "/v2/schemas/customer_cluster", ""), 200)
	text, _ := got.data().(map[string]any)
	if text["id"] != "customer_cluster" || text["_id"] != nil || text["properties"] == nil {
		t.Errorf("got %s", got.text)
	}
	f.want(f.send("GET", "/v2/schemas/customer_cluster", "", "If-None-Match", got.header.Get("ETag")), 304)
	f.want(f.send("GET", "/v2/accounts/nope/schemas/ips", ""), 404)
	f.want(f.send("GET", "/v2/accounts/"+strings.Repeat("0", 32)+"/schemas/ips", ""), 200)
	f.want(f.send("GET", "/v2/schemas/ips/validation/more", ""), 404)
	f.want(f.send("GET", "/v2/schemas/ips/other", ""), 404)
	token := f.byKey(f.master.APIKey)
	put := func(path, body string, headers ...string) answer {
		return f.send("PUT", "/v2/schemas/"+path+"/validation", body, append(headers, "X-Auth-Token", token)...)
	}
	// As it would be stored: cast, with defaults, without what no client can set.
	full := put("customer_cluster", `{"data":{"owner":"o","name":"n","ips":{},"_id":"x","pvt_type":"x"}}`)
	f.is(f.want(full, 201).data(), `{"owner":"o","name":"n","ips":{},"randomize_routing":false}`)
	full = put("customer_cluster", `{"data":{"owner":"o","name":"n","ips":{},"randomize_routing":"true"}}`)
	f.is(f.want(full, 201).data(), `{"owner":"o","name":"n","ips":{},"randomize_routing":true}`)
	f.want(put("ips", `{"data":{}}`), 201)
	f.want(put("ips", `{"data":["10.0.0.1"]}`), 201) // it does not ask for an object
	f.want(put("user_auth", `{"data":["10.0.0.1"]}`), 400)
	f.want(put("ips", `ips`, "Content-Type", "text/plain"), 415)
}

// TestOwnSchemas: what the cluster has made of a schema is shown and applied, whatever that is, and does not change
// what our own resources take.
func TestOwnSchemas(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, s *store.Store) {
		loadKazoo(t, s)
		writeSchema(t, s, "ips", `{"required":["reason"],"properties":{"reason":{"type":"string"}},"pvt_secret":1}`)
		writeSchema(t, s, "broken", `{"properties":{"x":{"$ref":"file:///etc/passwd"}}}`)
		sv := newService(t, s, func(c *api.Config) { c.Format = api.Documented })
		master, path := sv.token("M"), "/v2/accounts/"+accountA
		validate := func(id string) answer {
			return sv.send("PUT", path+"/schemas/"+id+"/validation", `{"data":{"ips":["10.0.0.1"]}}`, "X-Auth-Token", master)
		}
		got := sv.want(sv.send("GET", "/v2/schemas/ips", ""), 200)
		sv.is(got.data(), `{"id":"ips","required":["reason"],"properties":{"reason":{"type":"string"}}}`)
		sv.is(sv.want(validate("ips"), 400).data(),
			`{"reason":{"required":{"message":"Field is required but missing","value":"reason"}}}`)
		sv.want(sv.send("POST", path+"/ips", `{"data":{"ips":[]}}`, "X-Auth-Token", master), 400)
		sv.want(sv.send("POST", path+"/ips", `{"data":{}}`, "X-Auth-Token", master), 200)

		sv.want(sv.send("GET", path+"/schemas/broken", ""), 200)
		broken := sv.want(validate("broken"), 500)
		sv.is(broken.data(), `{"message":"schema broken can't be applied."}`)
		if !strings.Contains(sv.log.String(), "etc/passwd") {
			t.Error("the log does not say what is wrong")
		}
		writeSchema(t, s, "broken", `{"properties":{"x":{"type":"string","default":"y"}}}`)
		for end := time.Now().Add(10 * time.Second); broken.status == 500 && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
			broken = validate("broken")
		}
		sv.is(sv.want(broken, 201).data(), `{"ips":["10.0.0.1"],"x":"y"}`)
	})
}
