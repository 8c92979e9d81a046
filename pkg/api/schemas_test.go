package api_test

import (
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/schema"
	"junctor/schemas"
)

func bundledIDs(t *testing.T) []string {
	t.Helper()
	set, err := schema.Load(schemas.Files)
	if err != nil {
		t.Fatal(err)
	}
	return set.IDs()
}

func TestSchemas(t *testing.T) {
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

// TestStoredSchemasAreIgnored: the documents that a cluster stores in system_schemas neither show nor change what is
// validated.
func TestStoredSchemasAreIgnored(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	for _, id := range []string{"ips", "own"} {
		_, err := sv.store.Update(t.Context(), "system_schemas", id, func(doc document.Document) error {
			doc["required"] = []any{"reason"}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	validate := func(id string) answer {
		return sv.as("M", "PUT", "/v2/schemas/"+id+"/validation", `{"data":{"ips":["10.0.0.1"]}}`)
	}
	if got := sv.want(sv.send("GET", "/v2/schemas/ips", ""), 200); strings.Contains(got.text, "reason") {
		t.Errorf("got %s", got.text)
	}
	sv.want(sv.send("GET", "/v2/schemas/own", ""), 404)
	sv.is(sv.want(validate("ips"), 201).data(), `{"ips":["10.0.0.1"]}`)
	sv.is(sv.want(validate("own"), 500).data(), `{"message":"schema own not found."}`)
}
