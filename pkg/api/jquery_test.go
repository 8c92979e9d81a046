package api_test

import (
	"slices"
	"strings"
)

// browser is jQuery on a page of another origin, which may have a token: it asks before every request, and lets the page see nothing that
// it was not allowed to.
func (sv *service) browser(token, method, path, body string) answer {
	sv.Helper()
	const origin = "https://ui.example.com"
	pre := sv.want(sv.send("OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", method,
		"Access-Control-Request-Headers", "content-type,x-auth-token"), 200)
	if pre.header.Get("Access-Control-Allow-Origin") != "*" || pre.text != "" || pre.header.Get("X-Request-ID") == "" {
		sv.Errorf("preflight of %s %s: %v %s", method, path, pre.header, pre.text)
	}
	if !set(pre.header.Get("Access-Control-Allow-Methods"))[method] {
		sv.Errorf("preflight: %s %s is not allowed", method, path)
	}
	allowed := set(pre.header.Get("Access-Control-Allow-Headers"))
	if !allowed["content-type"] || !allowed["x-auth-token"] {
		sv.Errorf("preflight: the headers are not allowed: %v", allowed)
	}
	headers := []string{"Origin", origin, "Content-Type", "application/json",
		"Accept", "application/json, text/javascript, */*; q=0.01"}
	if token != "" {
		headers = append(headers, "X-Auth-Token", token)
	}
	a := sv.send(method, path, body, headers...)
	if a.header.Get("Access-Control-Allow-Origin") != "*" {
		sv.Errorf("%s %s: the page sees nothing of the answer", method, path)
	}
	if got := a.header.Values("Content-Type"); !slices.Equal(got, []string{"application/json"}) || a.envelope == nil {
		sv.Errorf("%s %s: not read as JSON: %q %s", method, path, got, a.text)
	}
	return a
}

func jqueryClient(sv *service) {
	a := sv.token("A")
	login := sv.browser("", "PUT", "/v2/api_auth", `{"data":{"api_key":"`+sv.key("A")+`"}}`)
	if token, _ := sv.want(login, 201).envelope["auth_token"].(string); !strings.HasPrefix(token, "eyJ") {
		sv.Errorf("no auth_token: %s", login.text)
	}
	sv.create("1.2.3.4", "2001:db8::dead")
	both := `[{"ip":"1.2.3.4","zone":"us-east"},{"ip":"2001:db8::dead","zone":"us-east"}]`
	for query, want := range map[string]string{
		"?zone=us-east&quantity=20&_=1795319806902":          both,
		"?zone=&quantity=&_=1795319806902":                   both,
		"?zone=undefined&quantity=undefined&_=1795319806902": both,
		"?zone=us-east&quantity=1&paginate=false&_=1":        `[{"ip":"1.2.3.4","zone":"us-east"}]`,
		"?zone=us-west&quantity=20&_=1":                      `[]`,
		"?filter_zone=x&created_from=1&has_key=x&_=1":        both,
	} {
		sv.is(sv.want(sv.browser(a, "GET", ipsOfA+query, ""), 200).data(), want)
	}
	sv.is(sv.want(sv.browser(a, "GET", ipsOfA+"/zones?_=1", ""), 200).data(), `["us-east"]`)

	const metadata = `{"version":"5.4","ui":"monster-ui","origin":"carriers"}`
	one := `{"id":"1.2.3.4","ip":"1.2.3.4","zone":"us-east","host":"proxy1.us-east.myswitch.com",` +
		`"status":"STATUS","type":"dedicated_ip"`
	held := strings.Replace(one, "STATUS", "assigned", 1) + `,"assigned_to":"` + accountA + `"}`
	free := strings.Replace(one, "STATUS", "available", 1) + `}`
	for _, body := range []string{
		`{"data":{}}`, `{"data":{"ui_metadata":` + metadata + `}}`,
		`{"data":{"ui_metadata":` + metadata + `},"accept_charges":true}`,
	} {
		sv.is(sv.want(sv.browser(a, "POST", ipsOfA+"/1.2.3.4", body), 200).data(), held)
		sv.is(sv.want(sv.browser(a, "GET", ipsOfA+"/assigned?_=1", ""), 200).data(), `[{"ip":"1.2.3.4","zone":"us-east"}]`)
		sv.is(sv.want(sv.browser(a, "DELETE", ipsOfA+"/1.2.3.4", body), 200).data(), free)
	}
	six := "/" + "2001%3Adb8%3A%3Adead"
	sv.want(sv.browser(a, "POST", ipsOfA+six, `{"data":{}}`), 200)
	sv.want(sv.browser(a, "DELETE", ipsOfA+six, `{"data":{"ui_metadata":`+metadata+`}}`), 200)
	sv.is(sv.want(sv.browser(a, "POST", ipsOfA, `{"data":{"ips":["1.2.3.4"],"ui_metadata":`+metadata+`}}`), 200).data(),
		`{"ips":["1.2.3.4"]}`)
	sv.is(sv.want(sv.browser(a, "DELETE", ipsOfA, `{"data":{"ui_metadata":`+metadata+`}}`), 200).data(),
		`{"ips":["1.2.3.4"]}`)
}

// jqueryErrors: what Monster UI shows of an error. 401 makes it log in again, so nothing else may be one.
func jqueryErrors(sv *service) {
	a := sv.token("A")
	for _, c := range []struct {
		token, method, path, body string
		status                    int
	}{
		{"", "GET", ipsOfA, "", 401},
		{sv.token("B"), "GET", ipsOfA, "", 403},
		{a, "GET", "/v2/ips", "", 403},
		{a, "GET", ipsOfA + "/9.9.9.9", "", 404},
		{a, "GET", "/v2/accounts/" + accountA + "/nothing", "", 404},
		{a, "PATCH", ipsOfA, `{"data":{}}`, 405},
		{a, "POST", ipsOfA, `{"data":`, 400},
	} {
		got := sv.want(sv.browser(c.token, c.method, c.path, c.body), c.status)
		for _, key := range []string{"request_id", "message", "error"} {
			if text, _ := got.envelope[key].(string); text == "" {
				sv.Errorf("%d: no %s: %s", c.status, key, got.text)
			}
		}
	}
	sv.is(sv.want(sv.browser(a, "POST", ipsOfA+"/9.9.9.9", `{"data":{}}`), 400).data(),
		`{"ips%2E0":{"not_found":{"message":"ip not found","value":"9.9.9.9"}}}`)
}
