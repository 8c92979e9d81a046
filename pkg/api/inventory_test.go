package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestSearchPaging walks a search to its end, page by page: every address comes once, in order, with the account's name.
func TestSearchPaging(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	sv := newService(t, s)
	sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":{"zone":"us-east","host":"proxy1","ips":[
		{"range":"10.0.0.8-10.0.0.12","notes":"rack 7"},{"ip":"2001:db8::1","zone":"us-west"}]}}`), 201)
	sv.want(sv.as("A", "POST", ipsOfA, `{"data":{"ips":["10.0.0.9","2001:db8::1"]}}`), 200)
	for _, c := range []struct {
		query string
		want  string
		pages int
	}{
		{"", "10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12 2001:db8::1", 1},
		{"page_size=1", "10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12 2001:db8::1", 6},
		{"page_size=4&zone=us-east", "10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12", 2},
		{"page_size=5&zone=us-east", "10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12", 1},
		{"page_size=1&assigned_to=" + accountA, "10.0.0.9 2001:db8::1", 2},
		{"status=assigned&zone=us-west", "2001:db8::1", 1},
		{"cidr=10.0.0.8/31", "10.0.0.8 10.0.0.9", 1},
		{"search=10.0.0.1", "10.0.0.10 10.0.0.11 10.0.0.12", 1},
		{"search=PROXY&host=proxy1&status=assigned", "10.0.0.9 2001:db8::1", 1},
		{"zone=&host=undefined&search=+&cidr=2001:db8::/32", "2001:db8::1", 1},
		{"zone=nowhere", "", 1},
	} {
		got, pages := sv.search(c.query)
		if got := strings.Join(got, " "); got != c.want || pages != c.pages {
			t.Errorf("%s: %d pages of %s, want %d of %s", c.query, pages, got, c.pages, c.want)
		}
	}
	const row = `[{"id":"10.0.0.9","ip":"10.0.0.9","zone":"us-east","host":"proxy1","status":"assigned","type":"dedicated_ip",` +
		`"assigned_to":"` + accountA + `","notes":"rack 7","account_name":"%s"}]`
	doc, err := s.Get(t.Context(), "accounts", accountA)
	if err != nil {
		t.Fatal(err)
	}
	name := doc.String("name")
	a := sv.want(sv.as("M", "GET", "/v2/ips/all?cidr=10.0.0.9", ""), 200)
	if want := fmt.Sprintf(row, name); !strings.Contains(a.text, `"data":`+want) {
		t.Errorf("want the row %s in %s", want, a.text)
	}
	if got, _ := sv.search("search=" + strings.ToUpper(name[:3])); !slices.Equal(got, []string{"10.0.0.9", "2001:db8::1"}) {
		t.Errorf("by the beginning of %q: %v", name, got)
	}
}

// search reads all pages of GET ips/all.
func (sv *service) search(query string) (ids []string, pages int) {
	sv.Helper()
	for key := ""; ; pages++ {
		a := sv.want(sv.as("M", "GET", "/v2/ips/all?"+query+"&start_key="+key, ""), 200)
		ids = append(ids, addresses(sv.list(a))...)
		next, _ := a.envelope["next_start_key"].(string)
		if size, _ := a.envelope["page_size"].(float64); int(size) != len(sv.list(a)) {
			sv.Errorf("%s: page_size is %v of %d rows", query, size, len(sv.list(a)))
		}
		if key = next; key == "" {
			return ids, pages + 1
		}
	}
}

// TestInventoryRefusals: a parameter that is wrong is a 400 that names it.
func TestInventoryRefusals(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.create("1.2.3.4", "1.2.3.5")
	first, _ := sv.want(sv.as("M", "GET", "/v2/ips/all?page_size=1", ""), 200).envelope["next_start_key"].(string)
	for query, want := range map[string]string{
		"all?page_size=0": "page_size.minimum", "all?page_size=-1": "page_size.minimum", "all?page_size=x": "page_size.type",
		"all?page_size=1001": "page_size.maximum", "all?page_size=99999999999999999999": "page_size.type",
		"all?status=free": "status.enum", "all?cooling=no": "cooling.invalid", "all?assigned_to=Acme": "assigned_to.invalid", "all?cidr=1.2.3.4/24": "cidr.invalid",
		"all?cidr=1.2.3.0/33": "cidr.invalid", "all?search=" + strings.Repeat("a", 257): "search.maxLength",
		"all?start_key=1.2.3.4": "start_key.invalid", "all?zone=z&start_key=" + first: "start_key.invalid",
		"accounts?page_size=1001": "page_size.maximum", "accounts?start_key=" + first: "start_key.invalid",
	} {
		a := sv.want(sv.as("M", "GET", "/v2/ips/"+query, ""), 400)
		path, code, _ := strings.Cut(want, ".")
		data, _ := a.data().(map[string]any)
		if codes, _ := data[path].(map[string]any); len(data) != 1 || codes[code] == nil {
			t.Errorf("%s: want %s: %s", query, want, a.text)
		}
	}
}

// TestSummaryAndAccounts: the counts are those of what was assigned.
func TestSummaryAndAccounts(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":{"zone":"z","ips":[{"ip":"1.2.3.4","host":"h1"},{"ip":"1.2.3.5","host":"h2"}]}}`), 201)
	sv.want(sv.as("A", "POST", ipsOfA+"/1.2.3.5", `{"data":{}}`), 200)
	const want = `"data":{"total":{"available":1,"assigned":1,"cooling":0},"zones":{"z":{"available":1,"assigned":1,"cooling":0,` +
		`"hosts":{"h1":{"available":1,"assigned":0,"cooling":0},"h2":{"available":0,"assigned":1,"cooling":0}}}},"days":[{"day":"`
	if a := sv.want(sv.as("M", "GET", "/v2/ips/summary", ""), 200); !strings.Contains(a.text, want) {
		t.Errorf("want %s in %s", want, a.text)
	}
	a := sv.want(sv.as("M", "GET", "/v2/ips/accounts?page_size=1&search=account+a", ""), 200)
	sv.is(a.data(), `[{"id":"`+accountA+`","name":"Account A","realm":"a.example.com","assigned":1}]`)
	if next, _ := a.envelope["next_start_key"].(string); next == "" || a.envelope["page_size"] != 1.0 {
		t.Errorf("no further page: %s", a.text)
	}
}
