package api_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"junctor/pkg/document"
)

// TestPaging walks listings to their end, page by page: every address comes once, in order.
func TestPaging(t *testing.T) {
	t.Parallel()
	sv := kazoo(t)
	var all, east []string
	for _, zone := range []string{"us-east", "us-west"} {
		for i := range 7 {
			address := fmt.Sprintf("10.%d.0.%d", len(all)/7, i)
			sv.want(sv.as("M", "PUT", "/v2/ips", `{"data":{"ip":"`+address+`","zone":"`+zone+`","host":"h"}}`), 201)
			all = append(all, address)
		}
	}
	east = all[:7]
	for _, c := range []struct {
		query string
		want  []string
		pages int
	}{
		{"page_size=4", all, 4},
		{"page_size=7", all, 2},
		{"page_size=14", all, 1},
		{"page_size=100", all, 1},
		{"page_size=1&zone=us-east", east, 7},
		{"page_size=3&zone=us-east", east, 3},
		{"page_size=4&quantity=6", all[:6], 2},
		{"page_size=3&quantity=6", all[:6], 2},
		{"page_size=9&quantity=6", all[:6], 1},
		{"page_size=2&zone=us-east&quantity=100", east, 4},
		{"page_size=4&zone=nowhere", nil, 1},
		{"page_size=4&zone=&quantity=undefined", all, 4},
	} {
		got, pages := sv.walk(c.query)
		if !slices.Equal(got, c.want) || pages != c.pages {
			t.Errorf("%s: %d pages of %v, want %d of %v", c.query, pages, got, c.pages, c.want)
		}
	}
	for query, want := range map[string][]string{
		"quantity=3": all[:3], "quantity=3&zone=us-west": all[7:10], "zone=us-west": all[7:],
		"quantity=0": all, "quantity=-1": all, "quantity=abc": all, "quantity=1.5": all,
		"page_size=0": all, "page_size=-5": all, "page_size=x": all, "page_size=99999999999999999999": all,
		"page_size=2&paginate=false": all, "start_key=": all, "start_key=undefined": all,
		"start_key=garbage&paginate=false": all,
	} {
		a := sv.want(sv.as("A", "GET", ipsOfA+"?"+query, ""), 200)
		if got := addresses(sv.list(a)); !slices.Equal(got, want) {
			t.Errorf("%s: %v", query, got)
		}
		if a.envelope["page_size"] != nil || a.envelope["next_start_key"] != nil {
			t.Errorf("%s: pages: %s", query, a.text)
		}
	}
}

// TestForgedStartKeys: a start key that no page of the listing had is refused, from memory and from the store (B1, B7).
func TestForgedStartKeys(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	for name, sv := range map[string]*service{
		"store": newService(t, s), "memory": newService(t, s, cached(t, s, staleness)),
	} {
		sv.create("10.0.0." + map[string]string{"store": "1", "memory": "2"}[name])
		key := func(text string) string { return "start_key=" + base64.RawURLEncoding.EncodeToString([]byte(text)) }
		const largest = "&page_size=9223372036854775807&quantity=9223372036854775807"
		for _, query := range []string{
			key(`{"key":["zzz",1]}`) + largest, key(`{"key":["z",{"x":1}]}`) + "&zone=z", key(`{}`), key(`null`),
			key(`{"Zone":"zzz","ID":1}`) + largest, key(`{"Zone":["z"],"ID":"10"}`), key(`{"Zone":"us-east"}`),
			key(`{"Zone":"us-east","ID":"10"}`) + "&zone=us-west", key(`{"Zone":"us-east","ID":"10","Left":-1}`),
			key(`{"Zone":"us-east","ID":"10","Left":9223372036854775807}`), "start_key=garbage",
		} {
			a := sv.want(sv.as("A", "GET", ipsOfA+"?"+query, ""), 400)
			found, _ := a.data().(map[string]any)["start_key"].(map[string]any)
			if found["invalid"] == nil {
				t.Errorf("%s: %s: %s", name, query, a.text)
			}
		}
		past := sv.want(sv.as("A", "GET", ipsOfA+"?"+key(`{"Zone":"zzz","ID":"1"}`)+largest, ""), 200)
		if all := sv.list(past); len(all) != 0 {
			t.Errorf("%s: %v past the end", name, all)
		}
	}
}

// TestLargestPages: numbers of rows that can't be counted up from are as good as no limit (B1).
func TestLargestPages(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	left := document.Document{ // by Crossbar's PUT of a list
		"_id": "no address", "pvt_type": "dedicated_ip", "pvt_status": "available", "pvt_zone": "us-east"}
	if _, err := s.Put(t.Context(), "dedicated_ips", left); err != nil {
		t.Fatal(err)
	}
	sv := newService(t, s)
	sv.create("10.0.0.1", "10.0.0.2")
	for _, query := range []string{
		"page_size=9223372036854775807", "quantity=9223372036854775807", "page_size=9223372036854775806&quantity=5",
	} {
		a := sv.want(sv.as("A", "GET", ipsOfA+"?"+query, ""), 200)
		if got := addresses(sv.list(a)); !slices.Equal(got, []string{"10.0.0.1", "10.0.0.2"}) {
			t.Errorf("%s: %v", query, got)
		}
	}
}

// walk follows next_start_key to the end.
func (sv *service) walk(query string) (all []string, pages int) {
	sv.Helper()
	key := ""
	for pages < 50 {
		a := sv.want(sv.as("A", "GET", ipsOfA+"?"+query+key, ""), 200)
		items := addresses(sv.list(a))
		if size, _ := a.envelope["page_size"].(float64); int(size) != len(items) {
			sv.Errorf("%s: page_size %v of %d items", query, a.envelope["page_size"], len(items))
		}
		all = append(all, items...)
		pages++
		next, ok := a.envelope["next_start_key"].(string)
		if !ok {
			break
		}
		key = "&start_key=" + url.QueryEscape(next)
	}
	return all, pages
}

func addresses(items []any) []string {
	var list []string
	for _, item := range items {
		list = append(list, item.(map[string]any)["ip"].(string))
	}
	return list
}
