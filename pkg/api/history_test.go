package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	names "junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// event is a row of a history.
type event struct {
	ID, Action, IP, Zone, From, To, Client, Source string
	At                                             int64
	Account                                        string `json:"auth_account_id"`
	User                                           string `json:"auth_user_id"`
	Request                                        string `json:"request_id"`
}

// history returns the rows of a listing, the newest first, and where it goes on.
func (sv *service) history(who, path string) (events []event, next string) {
	sv.Helper()
	a := sv.want(sv.as(who, "GET", "/v2/"+path, ""), 200)
	var envelope struct {
		Data []event
		Next string `json:"next_start_key"`
	}
	if err := json.Unmarshal([]byte(a.text), &envelope); err != nil || envelope.Data == nil || strings.Contains(a.text, "pvt_") {
		sv.Fatalf("%v: %s", err, a.text)
	}
	return envelope.Data, envelope.Next
}

// short returns events as "ACTION FROM>TO", accounts by the first digit of their ids, the oldest first.
func short(events []event) string {
	var texts []string
	for _, e := range slices.Backward(events) {
		texts = append(texts, fmt.Sprintf("%s %.1s>%.1s", e.Action, e.From, e.To))
	}
	return strings.Join(texts, ", ")
}

func TestHistory(t *testing.T) {
	t.Parallel()
	onStores(t, &kazooTemplate, func(t *testing.T, s *store.Store) {
		sv := newService(t, s)
		const ip = "192.0.2.7"
		steps := []struct{ who, verb, path, body string }{
			{"M", "PUT", "/v2/ips", `{"data":{"ip":"192.0.2.7","zone":"z","host":"h"}}`},
			{"A", "POST", ipsOfA + "/" + ip, ""},
			{"M", "PATCH", "/v2/ips/" + ip, `{"data":{"zone":"z2"}}`},
			{"M", "PATCH", "/v2/ips/" + ip, `{"data":{"assigned_to":"` + accountB + `"}}`},
			{"M", "DELETE", "/v2/accounts/" + accountB + "/ips", ""},
			{"M", "DELETE", "/v2/ips/" + ip, ""},
		}
		began := names.Gregorian(sv.clock.now())
		for _, step := range steps {
			a := sv.as(step.who, step.verb, step.path, step.body)
			if a.status/100 != 2 || strings.Contains(a.text, "pvt_changes") || strings.Contains(a.text, `"changes"`) {
				t.Fatalf("%v: %d %s", step, a.status, a.text)
			}
			sv.clock.set(sv.clock.now().Add(time.Minute))
		}
		const want = "created >, assigned >2, edited 2>2, moved 2>0, released 0>, deleted >"
		var all []event
		testutil.Eventually(t, "all events", func() bool { // a listing waits for them for 2 s at most
			all, _ = sv.history("M", "ips/history")
			return short(all) == want
		}, want)
		if e := all[4]; e.ID != ip+":2" || e.IP != ip || e.Zone != "z" || e.At != began+60 || e.To != accountA || e.Client != "127.0.0.1" ||
			e.Account != accountA || len(e.Request) != 32 || e.Source != "api" {
			t.Errorf("%+v", e)
		}
		if ofIP, _ := sv.history("M", "ips/"+ip+"/history"); short(ofIP) != want {
			t.Error(short(ofIP))
		}
		if got, _ := sv.history("M", "ips/::ffff:c000:207/history"); short(got) != want {
			t.Error("another spelling:", short(got))
		}
		if got, _ := sv.history("M", fmt.Sprintf("ips/history?created_from=%d&created_to=%d", began+60, began+120)); short(got) !=
			"assigned >2, edited 2>2" {
			t.Error("in between:", short(got))
		}
		var pages []event
		for key, n := "", 0; key != "" || n == 0; n++ {
			var page []event
			page, key = sv.history("M", "accounts/"+accountA+"/ips/history?page_size=1&start_key="+key)
			pages = append(pages, page...)
		}
		if got := short(pages); got != "assigned >2, edited 2>2, moved 2>0" {
			t.Error("A's for M:", got)
		}
		for at, want := range map[int64]string{0: "", began - 1: "", began: "created >", began + 179: "edited 2>2", began + 180: "moved 2>0"} {
			if got, _ := sv.history("M", fmt.Sprintf("ips/%s/history?at=%d", ip, at)); short(got) != want {
				t.Errorf("at %d: %s", at-began, short(got))
			}
		}
		own, _ := sv.history("A", "accounts/"+accountA+"/ips/history")
		if short(own) != "assigned >2, edited 2>2, moved 2>" || own[2] != all[4] {
			t.Errorf("A's for A: %+v", own)
		}
		for _, e := range own[:2] {
			if e.Account+e.User+e.Client != "" || e.Source != "api" || e.Request == "" {
				t.Errorf("A sees of others %+v", e)
			}
		}
		for path, status := range map[string]int{
			"ips/history?page_size=0": 400, "ips/history?page_size=1001": 400, "ips/history?page_size=x": 400,
			"ips/history?created_from=x": 400, "ips/history?created_to=-1": 400, "ips/192.0.2.7/history?at=1.5": 400,
			"ips/history?created_from=2&created_to=1": 400, "ips/history?created_from=1&created_to=1": 200,
			"ips/history?start_key=x": 400, "ips/192.0.2.99/history": 404, "ips/x/history": 404, "ips/summary?days=367": 400,
		} {
			sv.want(sv.as("M", "GET", "/v2/"+path, ""), status)
		}
		for _, path := range []string{"/v2/ips/history", "/v2/ips/" + ip + "/history"} {
			sv.want(sv.as("A", "GET", path, ""), 403)
			sv.want(sv.as("M", "POST", path, `{"data":{}}`), 405)
		}
		sv.want(sv.as("B", "GET", ipsOfA+"/history", ""), 403)
		if a := sv.want(sv.as("M", "GET", "/v2/ips/summary?days=2", ""), 200); !strings.Contains(a.text, `"days":[{"day":"`) ||
			strings.Count(a.text, `"assigned":0}`) < 2 {
			t.Error(a.text)
		}
	})
}
