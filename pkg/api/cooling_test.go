package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"junctor/pkg/document"
)

// configure sets the settings of ips.
func (sv *service) configure(settings string) {
	sv.Helper()
	_, err := sv.store.Update(sv.Context(), "system_config", "ips", func(doc document.Document) error {
		section, err := document.Decode([]byte(settings))
		doc["default"] = map[string]any(section)
		return err
	})
	if err != nil {
		sv.Fatal(err)
	}
}

// TestCooling: an address that an account gave back goes to no other one before its time, on no server.
func TestCooling(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv, other := newService(t, s), newService(t, s)
	sv.configure(`{"cooling_s":60}`)
	sv.create("1.2.3.4", "1.2.3.5")
	const ipsOfB = "/v2/accounts/" + accountB + "/ips"
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	sv.want(sv.as("A", "DELETE", ipsOfA+"/1.2.3.4", ""), 200)
	until := recorded.Unix() + 62167219200 + 60
	refusal := func(index string) string {
		return fmt.Sprintf(`{"ips%%2E%s":{"cooling":{"message":"another account had the ip until recently","value":"1.2.3.4","until":%d}}}`,
			index, until)
	}
	sv.is(sv.want(other.as("B", "POST", ipsOfB+"/1.2.3.4", ""), 400).data(), refusal("0"))
	sv.is(sv.want(sv.as("B", "POST", ipsOfB, `{"data":{"ips":["1.2.3.5","1.2.3.4"]}}`), 400).data(), refusal("1"))
	sv.is(sv.want(sv.as("M", "POST", ipsOfB+"/1.2.3.4?cooling=true", ""), 400).data(), refusal("0"))
	for _, path := range []string{ipsOfA, "/v2/ips"} {
		sv.is(sv.want(sv.as("M", "GET", path, ""), 200).data(), `[{"ip":"1.2.3.5","zone":"us-east"}]`)
	}
	if a := sv.want(sv.as("B", "POST", ipsOfB, `{"data":{"quantity":2}}`), 409); !strings.Contains(a.text, `"available":1`) {
		t.Errorf("refused with %s", a.text)
	}
	if ip, _ := sv.as("M", "GET", "/v2/ips/1.2.3.4", "").data().(map[string]any); ip["status"] != "available" {
		t.Errorf("shown as %v", ip)
	}
	// Only a superduper admin overrides, and only with the word.
	sv.want(sv.as("B", "POST", ipsOfB+"/1.2.3.4?cooling=false", ""), 403)
	sv.refuses("M", "POST", ipsOfB+"/1.2.3.4?cooling=no", "", "cooling invalid")
	sv.want(other.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	sv.want(other.as("A", "DELETE", ipsOfA+"/1.2.3.4", ""), 200)
	sv.want(sv.as("M", "POST", ipsOfB+"/1.2.3.4?cooling=false", ""), 200)
	wantHolder(t, sv, "1.2.3.4", accountB)
	sv.want(sv.as("B", "DELETE", ipsOfB+"/1.2.3.4", ""), 200)
	sv.clock.set(recorded.Add(time.Minute))
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	sv.want(sv.as("A", "DELETE", ipsOfA+"/1.2.3.4", ""), 200)
	sv.want(sv.as("M", "POST", ipsOfB+"?cooling=false", `{"data":{"quantity":2}}`), 200)
}

// TestMaxPerAccount: with its own token an account gets no more than the settings say, with an ancestor's it does.
func TestMaxPerAccount(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.configure(`{"max_per_account":2}`)
	sv.create("1.2.3.4", "1.2.3.5", "1.2.3.6", "1.2.3.7")
	sv.want(sv.as("A", "POST", ipsOfA, `{"data":{"ips":["1.2.3.4","1.2.3.5"]}}`), 200)
	sv.refuses("A", "POST", ipsOfA+"/1.2.3.6", "", "ips maximum")
	sv.refuses("A", "POST", ipsOfA, `{"ips":["1.2.3.6"]}`, "ips maximum")
	sv.is(sv.want(sv.as("A", "POST", ipsOfA, `{"data":{"quantity":1}}`), 400).data(), `{"quantity":{"maximum":{
		"message":"the account can have at most that many addresses by its own requests","target":2,"value":1,"assigned":2}}}`)
	sv.want(sv.as("M", "POST", ipsOfA, `{"data":{"quantity":1}}`), 200)
	sv.refuses("A", "POST", ipsOfA+"/1.2.3.4", "", "ips%2E0 superfluous")
	sv.configure(`{"max_per_account":-1}`)
	sv.want(sv.as("A", "POST", ipsOfA, `{"data":{"quantity":1}}`), 200)
}
