package main

import (
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// TestZone: addresses of the local zone come first, under the name that the cluster's settings have for it, and a
// change there needs no restart.
func TestZone(t *testing.T) {
	t.Parallel()
	dsn, state := storetest.FreshCouch(t), t.TempDir()
	admin := bootstrapped(t, "--store", dsn, "--state-dir", state)
	s := start(t, "--store", dsn, "--state-dir", state, "--zone", "east")
	token := s.login(admin.APIKey)
	path := "/v2/accounts/" + admin.AccountID + "/ips"
	for ip, zone := range map[string]string{"192.0.2.1": "us-west", "192.0.2.2": "east", "192.0.2.3": "us-east"} {
		s.create(token, ip, zone)
		s.must("POST", path+"/"+ip, token, "")
	}
	first := func() any {
		_, e := s.request("GET", path+"/assigned", token, "")
		list, _ := e["data"].([]any)
		if len(list) != 3 { // as on a machine that is too busy
			return nil
		}
		return list[0].(map[string]any)["ip"]
	}
	testutil.Eventually(t, "the zone's own name", func() bool { return first() == "192.0.2.2" })
	configure(t, dsn, `{"_id":"ips",
		"default":{"zone_name_map":{"east":"us-west"}},"east":{"zone_name_map":{"east":"us-east"}}}`)
	testutil.Eventually(t, "the zone's other name", func() bool { return first() == "192.0.2.3" })
}

// configure writes a document of settings.
func configure(t *testing.T, dsn, text string) {
	t.Helper()
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	doc, err := document.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "system_config", doc); err != nil {
		t.Fatal(err)
	}
}
