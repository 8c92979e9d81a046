package dedicatedip

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"junctor/pkg/fault"
	"junctor/pkg/store"
)

var availableCases = []testCase{
	{"available", availableFilters},
	{"available from a forged start key", availableForged},
	{"available pages", availablePages},
	{"available pages go on", availablePagesGoOn},
	{"available pages end", availablePagesEnd},
}

func availableFilters(s *subject) {
	s.put(dedicated("10.0.0.2", "b", ""), dedicated("10.0.0.3", "a", ""), dedicated("10.0.0.1", "b", ""),
		dedicated("10.0.0.4", "", ""), dedicated("hello", "b", ""), dedicated("10.0.0.5", "b", accountA),
		dedicated("2001:db8::1", "bb", ""), `{"_id":"10.0.0.6","pvt_type":"device","pvt_status":"available"}`)
	const all = "10.0.0.4 10.0.0.3@a 10.0.0.1@b 10.0.0.2@b 2001:db8::1@bb"
	tests := []struct {
		filter Filter
		want   string
	}{
		{Filter{}, all},
		{Filter{Zone: "b"}, "10.0.0.1@b 10.0.0.2@b"},
		{Filter{Zone: "nowhere"}, ""},
		{Filter{Quantity: 2}, "10.0.0.4 10.0.0.3@a"},
		{Filter{Quantity: 100}, all},
		{Filter{Zone: "b", Quantity: 1}, "10.0.0.1@b"},
	}
	for _, test := range tests {
		page, err := s.Read().Available(s.Context(), test.filter)
		if got := texts(page.Items); err != nil || got != test.want || page.Next != "" || page.Items == nil {
			s.Errorf("%+v: %s, next %q, %v, want %s", test.filter, got, page.Next, err, test.want)
		}
	}
}

// availableForged: start keys that no page of the listing had.
func availableForged(s *subject) {
	key := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, f := range []Filter{
		{StartKey: "nonsense"}, {StartKey: key(`[]`)}, {StartKey: key(`{"key":["b","b",""]}`)},
		{StartKey: key(`{"Zone":"b","ID":1}`)}, {StartKey: key(`{"Zone":["b"],"ID":"10.0.0.1"}`)}, {StartKey: key(`{"Zone":"b"}`)},
		{Zone: "a", StartKey: key(`{"Zone":"b","ID":"10.0.0.1"}`)}, {Zone: "a", StartKey: key(`{"ID":"10.0.0.1"}`)},
		{StartKey: key(`{"ID":"10.0.0.1","Left":-1}`)}, {StartKey: key(`{"ID":"10.0.0.1","Left":9223372036854775807}`)},
	} {
		if page, err := s.Read().Available(s.Context(), f); !fault.Is(err, fault.Invalid) {
			s.Errorf("%+v: %v, %v", f, page, err)
		}
	}
}

// availablePages walks through zones, null ones too, with pages of every size and rows that are no addresses at
// every place.
func availablePages(s *subject) {
	want := map[string][]string{}
	for i := range 24 {
		id, zone := fmt.Sprintf("10.0.0.%d", i), []string{"", "a", "b"}[i/8]
		if i%5 < 2 {
			id = "hello " + id
		} else {
			want[zone] = append(want[zone], id)
		}
		s.put(dedicated(id, zone, ""))
	}
	var all []string
	for _, zone := range []string{"", "a", "b"} {
		slices.Sort(want[zone])
		all = append(all, want[zone]...)
	}
	for size := 1; size <= len(all)+1; size++ {
		s.pages(s.Pool, Filter{PageSize: size}, all)
		s.pages(s.Pool, Filter{PageSize: size, Zone: "a"}, want["a"])
		s.pages(s.Pool, Filter{PageSize: size, Quantity: 7}, all[:7])
	}
	s.pages(s.Pool, Filter{PageSize: 2, Zone: "b", Quantity: 3}, want["b"][:3])
}

// pages walks to the end. Every page but the last is full, and the last is not empty.
func (s *subject) pages(p *Pool, f Filter, want []string) {
	s.Helper()
	first := f
	var got []string
	for {
		page, err := p.Read().Available(s.Context(), f)
		s.ok(err)
		got = append(got, addressesOf(page.Items)...)
		if len(page.Items) == 0 || page.Next != "" && len(page.Items) != f.PageSize || len(got) > len(want) {
			s.Errorf("%+v: a page of %v", f, page)
			break
		}
		if f.StartKey = page.Next; f.StartKey == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		s.Errorf("%+v:\ngot  %v\nwant %v", first, got, want)
	}
}

// availablePagesGoOn: the address a page was to begin with may be gone by then.
func availablePagesGoOn(s *subject) {
	s.free("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
	page, err := s.Read().Available(s.Context(), Filter{PageSize: 2})
	s.ok(err)
	s.ok(s.assign(s.Pool, accountA, "10.0.0.3"))
	rest, err := s.Read().Available(s.Context(), Filter{PageSize: 2, StartKey: page.Next})
	if got := texts(rest.Items); err != nil || got != "10.0.0.4@z1" || rest.Next != "" {
		s.Errorf("after %s comes %s, %q, %v", texts(page.Items), got, rest.Next, err)
	}
	if strings.ContainsAny(page.Next, "+/=&? ") {
		s.Errorf("%q would have to be encoded", page.Next)
	}
}

// availablePagesEnd: a read of the view that repeats itself ends with an error (fault K1).
func availablePagesEnd(s *subject) {
	for i := range 5 {
		s.put(dedicated(fmt.Sprintf("no address %d", i), "a", ""))
	}
	s.put(dedicated("10.0.0.1", "b", ""))
	page, err := s.pool(s.s, io.Discard).Read().Available(s.Context(), Filter{PageSize: 2})
	if got := texts(page.Items); err != nil || got != "10.0.0.1@b" {
		s.Errorf("listed %s, %v", got, err)
	}
	_, err = s.pool(repeating{s.s}, io.Discard).Read().Available(s.Context(), Filter{PageSize: 2})
	if !errors.Is(err, store.ErrNoProgress) || !strings.Contains(err.Error(), "junctor/available of database") {
		s.Errorf("it ended with %v", err)
	}
}
