package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/testutil"
)

const patched = "/v2/ips/1.2.3.4"

// TestEditIP: PATCH changes what is given, and the copy follows.
func TestEditIP(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s)
	sv.create("1.2.3.4")
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	a := sv.want(sv.as("M", "PATCH", patched, `{"data":{"zone":"west","notes":"rack 7","ui_metadata":{}}}`), 200)
	sv.is(a.data(), `{"id":"1.2.3.4","ip":"1.2.3.4","zone":"west","host":"proxy1.us-east.myswitch.com","status":"assigned",
		"type":"dedicated_ip","assigned_to":"`+accountA+`"}`)
	wantHolder(t, sv, "1.2.3.4", accountA)
	stored, err := s.Get(t.Context(), "dedicated_ips", "1.2.3.4")
	if err != nil || stored["notes"] != "rack 7" || a.envelope["revision"] != stored.Rev() {
		t.Errorf("stored is %v, %v, the envelope %v", stored, err, a.envelope)
	}
	if copied, err := s.Get(t.Context(), databaseOf(accountA), "1.2.3.4"); err != nil || copied["notes"] != nil {
		t.Errorf("the copy is %v, %v", copied, err)
	}
	sv.want(sv.as("M", "PATCH", patched, `{"data":{"host":"h2"}}`, "If-Match", `"1-a"`), 412)
	sv.want(sv.as("M", "PATCH", patched, `{"data":{"host":"h2"}}`, "If-Match", `"`+stored.Rev()+`"`), 200)

	a = sv.want(sv.as("M", "PATCH", patched, `{"data":{"assigned_to":"`+accountB+`","zone":"east"}}`), 200)
	sv.is(a.data(), `{"id":"1.2.3.4","ip":"1.2.3.4","zone":"east","host":"h2","status":"assigned",
		"type":"dedicated_ip","assigned_to":"`+accountB+`"}`)
	wantHolder(t, sv, "1.2.3.4", accountB)
	sv.want(sv.as("A", "GET", ipsOfA+"/1.2.3.4", ""), 404)
}

// TestEditIPRefused: what is wrong is named at its field, and changes nothing.
func TestEditIPRefused(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "1.2.3.5")
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	before := sv.as("M", "GET", patched, "").envelope["revision"]
	for data, want := range map[string]string{
		`{"zone":"","host":""}`:                               "host minLength, zone minLength",
		`{"zone":null}`:                                       "zone type",
		`{"assigned_to":null,"zone":"west"}`:                  "assigned_to type",
		`{"assigned_to":""}`:                                  "assigned_to pattern",
		`{"assigned_to":"` + strings.ToUpper(accountB) + `"}`: "assigned_to pattern",
		`{"assigned_to":"00000000000000000000000000000000"}`:  "assigned_to not_found",
		`{"notes":["x"],"zone":"west"}`:                       "notes type",
		`{"notes":"` + strings.Repeat("x", 4097) + `"}`:       "notes maxLength",
		`{"zone":"` + strings.Repeat("x", 1025) + `"}`:        "zone maxLength",
		`{"host":"` + strings.Repeat("x", 1025) + `"}`:        "host maxLength",
		`{}`:                                    " required",
		`{"ip":"1.2.3.9","status":"available"}`: " required",
		`["zone"]`:                              " type",
	} {
		sv.refuses("M", "PATCH", patched, data, want)
	}
	sv.refuses("M", "PATCH", "/v2/ips/1.2.3.5", `{"assigned_to":"`+accountB+`"}`, "assigned_to superfluous")
	for _, path := range []string{"/v2/ips/1.2.3.9", "/v2/ips/hello"} {
		sv.want(sv.as("M", "PATCH", path, `{"data":{"zone":"west"}}`), 404)
	}
	sv.want(sv.as("A", "PATCH", patched, `{"data":{"zone":"west"}}`), 403)
	sv.want(sv.as("A", "PATCH", ipsOfA+"/1.2.3.4", `{"data":{"zone":"west"}}`), 405)
	if after := sv.as("M", "GET", patched, "").envelope["revision"]; after != before {
		t.Errorf("revision %v became %v", before, after)
	}
}

// TestMoveAsksBilling: a move is approved as an assignment to the new account is.
func TestMoveAsksBilling(t *testing.T) {
	t.Parallel()
	sv, hook := billed(t)
	sv.create("1.2.3.4")
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	hook.Charge(accountB, planOfA)
	const move = `{"data":{"assigned_to":"` + accountB + `"}}`
	if a := sv.want(sv.as("M", "PATCH", patched, move), 402); a.envelope["message"] != "accept charges" {
		t.Errorf("refused with %s", a.text)
	}
	wantHolder(t, sv, "1.2.3.4", accountA)
	sv.want(sv.as("M", "PATCH", patched, `{"data":{"zone":"west"}}`), 200)
	sv.want(sv.as("M", "PATCH", patched+"?accept_charges=true", move), 200)
	wantHolder(t, sv, "1.2.3.4", accountB)
	testutil.Eventually(t, "one address with B and none with A", func() bool { return hook.count(accountA) == 0 && hook.count(accountB) == 1 })
}

// TestMoveRace: while an address goes from one account to another and back, nobody finds it available, assigned twice or
// not at all.
func TestMoveRace(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4")
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""), 200)
	token, done := sv.token("M"), make(chan struct{})
	looked := make(chan struct{}, 1)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			held := jsonText(sv.send("GET", "/v2/ips/assigned", "", "X-Auth-Token", token).data())
			free := jsonText(sv.send("GET", "/v2/ips", "", "X-Auth-Token", token).data())
			if strings.Count(held, `"1.2.3.4"`) != 1 || free != `[]` {
				t.Errorf("assigned: %s, available: %s", held, free)
			}
			select {
			case looked <- struct{}{}:
			default:
			}
		}
	})
	for i := range 12 {
		<-looked
		body := fmt.Sprintf(`{"data":{"assigned_to":"%s"}}`, []string{accountB, accountA}[i%2])
		if a := sv.send("PATCH", patched, body, "X-Auth-Token", token); a.status != 200 {
			t.Errorf("move %d: %d %s", i, a.status, a.text)
		}
	}
	close(done)
	watching.Wait()
	wantHolder(t, sv, "1.2.3.4", accountA)
}
