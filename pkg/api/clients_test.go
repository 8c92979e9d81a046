package api_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/api"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// TestClients makes the requests that known clients make, and reads the answers as they do.
func TestClients(t *testing.T) {
	t.Parallel()
	clients := []struct {
		name string
		run  func(*service)
	}{
		{"Monster UI's jquery SDK", jqueryClient},
		{"Monster UI's jquery SDK on errors", jqueryErrors},
		{"kazoo-php-sdk", phpClient},
		{"kazoo-python-sdk", pythonClient},
		{"Kazoo's property test", pqcClient},
		{"Kazoo 5's sequence", seqClient},
		{"kazoo-go", goClient},
	}
	onStores(t, &kazooTemplate, func(t *testing.T, s *store.Store) {
		sv := newService(t, s)
		for _, c := range clients {
			t.Run(c.name, func(t *testing.T) {
				own := *sv
				own.TB = t
				own.clear()
				c.run(&own)
			})
		}
	})
}

// clear empties the pool.
func (sv *service) clear() {
	sv.Helper()
	for _, list := range []string{"/v2/ips", "/v2/ips/assigned"} {
		for _, item := range sv.list(sv.as("M", "GET", list, "")) {
			address := item.(map[string]any)["ip"].(string)
			sv.want(sv.as("M", "DELETE", "/v2/ips/"+url.PathEscape(address), ""), 200)
		}
	}
}

// list returns the data of a success that is a list.
func (sv *service) list(a answer) []any {
	sv.Helper()
	list, ok := sv.want(a, 200).data().([]any)
	if !ok {
		sv.Fatalf("no list: %s", a.text)
	}
	return list
}

// php sends the headers that kazoo-php-sdk does.
func (sv *service) php(token, method, path, body string) answer {
	sv.Helper()
	return sv.send(method, path, body, "X-Auth-Token", token, "Content-Type", "application/json",
		"Accept", "application/json", "User-Agent", "kazoo-php-sdk")
}

func phpClient(sv *service) {
	login := sv.want(sv.php("", "PUT", "/v2/api_auth", `{"data":{"api_key":"`+sv.key("A")+`"}}`), 201)
	id, _ := login.data().(map[string]any)["account_id"].(string)
	token, _ := login.envelope["auth_token"].(string)
	keep(token)
	ips := "/v2/accounts/" + id + "/ips"
	sv.create("1.2.3.4", "2001:db8::5")
	if n := len(sv.list(sv.php(token, "GET", ips+"?zone=us-east", ""))); n != 2 {
		sv.Errorf("%d addresses", n)
	}
	sv.is(sv.php(token, "GET", ips+"/hosts", "").data(), `["proxy1.us-east.myswitch.com"]`)
	for _, address := range []string{"1.2.3.4", "2001:db8::5"} { // not percent-encoded
		found := sv.want(sv.php(token, "GET", ips+"/"+address, ""), 200).data()
		held := sv.want(sv.php(token, "POST", ips+"/"+address, `{"data":`+jsonText(found)+`}`), 200)
		if got := held.data().(map[string]any)["id"]; got != address {
			sv.Errorf("the entity has the id %v", got)
		}
		sv.want(sv.php(token, "DELETE", ips+"/"+address, ""), 200)
	}
	sv.want(sv.php(token, "POST", ips+"/1.2.3.4", `{"data":{}}`), 200)
	sv.is(sv.want(sv.php(token, "DELETE", ips, ""), 200).data(), `{"ips":["1.2.3.4"]}`)
	gone := sv.want(sv.php(token, "GET", ips+"/9.9.9.9", ""), 404)
	if gone.envelope["message"] != "bad_identifier" {
		sv.Errorf("message: %s", gone.text)
	}
}

func pythonClient(sv *service) {
	send := func(name, method, path, body string) answer {
		headers := []string{"Content-Type", "application/json", "Accept", "*/*"}
		if name != "" {
			headers = append(headers, "X-Auth-Token", sv.token(name))
		}
		a := sv.send(method, path, body, headers...)
		if status, _ := a.envelope["status"].(string); status == "" {
			sv.Errorf("%s %s: no status: %s", method, path, a.text)
		}
		return a
	}
	sv.want(send("M", "PUT", ipsOfA, `{"data":{"ip":"1.2.3.4","zone":"z","host":"h"}}`), 201)
	sv.want(send("A", "PUT", ipsOfA, `{"data":{"ip":"1.2.3.5","zone":"z","host":"h"}}`), 403)
	sv.want(send("A", "POST", ipsOfA+"/1.2.3.4", ""), 200) // an empty dict sends no body
	sv.want(send("A", "DELETE", ipsOfA+"/1.2.3.4", ""), 200)
	sv.is(sv.want(send("A", "POST", ipsOfA+"/", `{"data":{"ips":["1.2.3.4"]}}`), 200).data(), `{"ips":["1.2.3.4"]}`)
	sv.is(sv.want(send("A", "GET", ipsOfA+"/assigned", ""), 200).data(), `[{"ip":"1.2.3.4","zone":"z"}]`)
	for status, a := range map[int]answer{
		400: send("A", "POST", ipsOfA+"/1.2.3.4", ""),
		401: send("", "GET", ipsOfA, ""),
		404: send("A", "GET", ipsOfA+"/9.9.9.9", ""),
		410: send("", "GET", "/v1/accounts/"+accountA+"/ips", ""),
	} {
		sv.want(a, status)
		if a.envelope["error"] != itoa(status) || a.envelope["status"] != "error" || a.envelope["request_id"] == "" ||
			a.header.Get("X-Request-Id") != a.envelope["request_id"] {
			sv.Errorf("%d: %v %s", status, a.header, a.text)
		}
	}
}

// pqc sends the headers that Kazoo's own tests do.
func (sv *service) pqc(name, method, path, body string) answer {
	sv.Helper()
	const id = "pqc_cb_ips-63962540387123"
	a := sv.as(name, method, path, body, "Content-Type", "application/json", "Accept", "application/json",
		"X-Request-ID", id)
	if a.header.Get("X-Request-ID") != id || a.envelope["request_id"] != id {
		sv.Errorf("%s %s: another request id: %s", method, path, a.text)
	}
	return a
}

const pqcAddress = `{"data":{"ip":"1.2.3.4","host":"a.host.com","zone":"zone-1"}}`

func pqcClient(sv *service) {
	created := sv.want(sv.pqc("M", "PUT", "/v2/ips", pqcAddress), 201)
	if _, ok := created.data().(map[string]any)["_read_only"].(map[string]any); !ok || created.envelope["error"] != nil {
		sv.Errorf("created: %s", created.text)
	}
	sv.want(sv.pqc("M", "PUT", "/v2/ips", pqcAddress), 409)
	sv.is(sv.pqc("M", "GET", "/v2/ips", "").data(), `[{"ip":"1.2.3.4","zone":"zone-1"}]`)
	sv.is(sv.want(sv.pqc("M", "POST", ipsOfA, `{"data":["1.2.3.4"]}`), 200).data(), `{"ips":["1.2.3.4"]}`)
	fetched := sv.want(sv.pqc("M", "GET", ipsOfA+"/1.2.3.4", ""), 200).data()
	sv.is(fetched, `{"id":"1.2.3.4","ip":"1.2.3.4","zone":"zone-1","host":"a.host.com","status":"assigned",`+
		`"type":"dedicated_ip","assigned_to":"`+accountA+`"}`)
	sv.is(sv.pqc("M", "GET", "/v2/ips/hosts", "").data(), `["a.host.com"]`)
	sv.is(sv.pqc("M", "GET", "/v2/ips/zones", "").data(), `["zone-1"]`)
	sv.is(sv.pqc("M", "GET", ipsOfA+"/assigned", "").data(), `[{"ip":"1.2.3.4","zone":"zone-1"}]`)
	removed := sv.want(sv.pqc("M", "DELETE", "/v2/ips/1.2.3.4", ""), 200).data().(map[string]any)
	if deleted := removed["_read_only"].(map[string]any)["deleted"]; deleted != true {
		sv.Errorf("removed: %v", removed)
	}
	sv.want(sv.pqc("M", "DELETE", "/v2/ips/1.2.3.4", ""), 404)
}

// seqClient runs the strict sequence of Kazoo 5, which reads Crossbar's own format. The address is still assigned
// when it is removed.
func seqClient(sv *service) {
	const ips, format = ipsOfA, "?response_format=crossbar"
	created := sv.want(sv.pqc("M", "PUT", "/v2/ips"+format, pqcAddress), 201)
	if metadata, _ := created.envelope["metadata"].(map[string]any); metadata["_id"] != "1.2.3.4" {
		sv.Errorf("metadata: %s", created.text)
	}
	held := `{"id":"1.2.3.4","ip":"1.2.3.4","zone":"zone-1","host":"a.host.com","status":"assigned",` +
		`"type":"dedicated_ip","assigned_to":"` + accountA + `"}`
	sv.is(sv.want(sv.pqc("M", "POST", ips+"/1.2.3.4"+format, `{"data":{}}`), 200).data(),
		`{"success":{"1.2.3.4":`+held+`},"error":{}}`)
	sv.is(sv.want(sv.pqc("M", "GET", ips+"/1.2.3.4"+format, ""), 200).data(), held)
	sv.want(sv.pqc("M", "DELETE", "/v2/ips/1.2.3.4"+format, ""), 200)
	sv.is(sv.pqc("A", "GET", ips+"/assigned", "").data(), `[]`)
	testutil.Eventually(sv, "the end of the account's copy", func() bool {
		_, err := sv.store.Get(sv.Context(), databaseOf(accountA), "1.2.3.4")
		return fault.Is(err, fault.BadIdentifier)
	})
}

// goClient: kazoo-go decodes the envelope into these types, and fails on any other.
func goClient(sv *service) {
	var envelope struct {
		AuthToken string `json:"auth_token"`
		Error     string `json:"error"`
		Message   string `json:"message"`
		Node      string `json:"node"`
		PageSize  int    `json:"page_size"`
		RequestID string `json:"request_id"`
		Revision  string `json:"revision"`
		StartKey  string `json:"start_key"`
		NextKey   string `json:"next_start_key"`
		Status    string `json:"status"`
		Timestamp string `json:"timestamp"`
		Version   string `json:"version"`
	}
	sv.create("1.2.3.4", "1.2.3.5")
	for _, a := range []answer{
		sv.as("A", "GET", ipsOfA, ""),
		sv.as("A", "GET", ipsOfA+"?page_size=1", ""),
		sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""),
		sv.as("A", "POST", ipsOfA+"/1.2.3.4", ""),
		sv.as("A", "DELETE", ipsOfA, ""),
		sv.send("GET", ipsOfA, ""),
		sv.as("A", "GET", "/v1/", ""),
		sv.as("M", "DELETE", "/v2/ips/1.2.3.4", ""),
	} {
		if err := json.Unmarshal([]byte(a.text), &envelope); err != nil {
			sv.Errorf("%v: %s", err, a.text)
		}
		if strings.Contains(a.text, ":null") {
			sv.Errorf("null: %s", a.text)
		}
	}
}

// TestFormats: the setting chooses the format of an answer, and a request may choose another.
func TestFormats(t *testing.T) {
	t.Parallel()
	const ips = ipsOfA + "/1.2.3.4"
	for _, c := range []struct {
		set   api.Format
		query string
		want  []string
	}{
		{api.Documented, "", []string{"id", "ip"}},
		{api.Documented, "?response_format=crossbar", []string{"success", "error"}},
		{api.Documented, "?response_format=nonsense", []string{"id", "ip"}},
		{api.Crossbar, "", []string{"success", "error"}},
		{api.Crossbar, "?response_format=documented", []string{"id", "ip"}},
	} {
		sv := kazoo(t, func(cfg *api.Config) { cfg.Format = c.set })
		sv.create("1.2.3.4")
		for _, method := range []string{"POST", "DELETE"} {
			data, _ := sv.want(sv.as("A", method, ips+c.query, ""), 200).data().(map[string]any)
			for _, key := range c.want {
				if data[key] == nil {
					t.Errorf("%s%s as %s: no %s, but %v", method, c.query, c.set, key, slices.Sorted(maps.Keys(data)))
				}
			}
		}
	}
}
