package dedicatedip

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

var modelCases = []testCase{{"model", followsModel}}

// model is the pool as a map: the holder by address, empty for an available one.
type model map[string]string

// followsModel does the same random things to a pool and to a model, and compares every result.
func followsModel(s *subject) {
	const steps = 60
	for seed := range uint64(2) {
		m := &modelRun{subject: s, model: model{}, r: rand.New(rand.NewPCG(seed, 1))}
		for range steps {
			m.step()
			if s.Failed() {
				s.Fatalf("seed %d: %s", seed, strings.Join(m.trace, "; "))
			}
		}
		m.compare()
		for id := range m.model {
			s.ok(outcome(s.Delete(s.Context(), DeleteRequest{Address: id})))
		}
	}
}

type modelRun struct {
	*subject
	model model
	r     *rand.Rand
	trace []string
}

// address is one of a few, in a random spelling, and its canonical form.
func (m *modelRun) address() (text, id string) {
	n := m.r.IntN(8)
	if n < 4 {
		id = "10.0.0." + strconv.Itoa(n)
		return []string{id, "::ffff:" + id, "::FFFF:a00:" + strconv.Itoa(n)}[m.r.IntN(3)], id
	}
	id = "2001:db8::a" + strconv.Itoa(n)
	return []string{id, strings.ToUpper(id), "2001:0db8:0:0::00a" + strconv.Itoa(n)}[m.r.IntN(3)], id
}

func (m *modelRun) addresses() (texts, ids []string) {
	for range 1 + m.r.IntN(4) {
		text, id := m.address()
		texts, ids = append(texts, text), append(ids, id)
	}
	return texts, ids
}

func (m *modelRun) step() {
	accountID := []string{accountA, accountB}[m.r.IntN(2)]
	text, id := m.address()
	texts, ids := m.addresses()
	note := func(words ...string) { m.trace = append(m.trace, strings.Join(words, " ")) }
	holder, known := m.model[id]
	switch m.r.IntN(10) {
	case 0, 1:
		note("create", text)
		_, err := m.Create(m.Context(), inZone(text))
		m.agrees(err, !known, fault.Conflict)
		if !known {
			m.model[id] = ""
		}
	case 2:
		note("delete", text)
		_, err := m.Delete(m.Context(), DeleteRequest{Address: text})
		m.agrees(err, known, fault.BadIdentifier)
		delete(m.model, id)
	case 3:
		note("assign", text, accountID)
		m.agrees(m.assign(m.Pool, accountID, text), known && holder == "", fault.Invalid)
		m.move([]string{id}, "", accountID)
	case 4:
		note("release", text, accountID)
		m.agrees(m.release(m.Pool, accountID, text), known && holder == accountID, fault.Invalid)
		m.move([]string{id}, accountID, "")
	case 5:
		note("assign", strings.Join(texts, " "), accountID)
		ips, err := m.Assign(m.Context(), toAssign(accountID, texts...))
		m.agrees(err, m.move(ids, "", accountID), fault.Invalid)
		m.order(ips, ids, err)
	case 6:
		note("release", strings.Join(texts, " "), accountID)
		ips, err := m.Release(m.Context(), toRelease(accountID, texts...))
		m.agrees(err, m.move(ids, accountID, ""), fault.Invalid)
		m.order(ips, ids, err)
	case 8:
		note("move", text, accountID)
		_, err := m.Edit(m.Context(), toMove(text, accountID))
		switch {
		case !known:
			testutil.RequireFault(m, err, fault.BadIdentifier)
		case holder == "":
			testutil.RequireFault(m, err, fault.Invalid)
		default:
			m.ok(err)
			m.model[id] = accountID
		}
	case 9:
		note("create many", strings.Join(texts, " "))
		done, err := m.CreateMany(m.Context(), blocks(texts...))
		m.ok(err)
		m.created(done, ids)
	case 7:
		note("read", text)
		ip, err := m.Read().Get(m.Context(), text)
		m.agrees(err, known, fault.BadIdentifier)
		if known && (ip.ID != id || ip.AssignedTo != holder) {
			m.Errorf("%s: read %+v, want %s with %q", text, ip, id, holder)
		}
	}
}

// created checks what became of addresses in bulk: those that were there are unchanged.
func (m *modelRun) created(done Creation, ids []string) {
	m.Helper()
	var created, unchanged []string
	for _, id := range ids {
		if _, known := m.model[id]; known && !slices.Contains(append(created, unchanged...), id) {
			unchanged = append(unchanged, id)
		} else if !known {
			created, m.model[id] = append(created, id), ""
		}
	}
	if !slices.Equal(done.Created, created) || !slices.Equal(done.Unchanged, unchanged) || len(done.Refused) > 0 {
		m.Errorf("created %v, unchanged %v, want %v and %v", done.Created, done.Unchanged, created, unchanged)
	}
}

// move changes the holder of addresses where all have the one given, and reports whether.
func (m *modelRun) move(ids []string, from, to string) bool {
	for _, id := range ids {
		if holder, known := m.model[id]; !known || holder != from {
			return false
		}
	}
	for _, id := range ids {
		m.model[id] = to
	}
	return true
}

func (m *modelRun) agrees(err error, succeeds bool, kind fault.Kind) {
	m.Helper()
	if succeeds {
		m.ok(err)
	} else {
		testutil.RequireFault(m, err, kind)
	}
}

// order checks that a result has the addresses asked for, each once, in order.
func (m *modelRun) order(ips []IP, ids []string, err error) {
	m.Helper()
	var want []string
	for _, id := range ids {
		if err == nil && !slices.Contains(want, id) {
			want = append(want, id)
		}
	}
	if !slices.Equal(idsOf(ips), want) && len(ips)+len(want) > 0 {
		m.Errorf("returned %s, want %v", idsText(ips), want)
	}
}

// compare checks the listings and all documents against the model.
func (m *modelRun) compare() {
	m.Helper()
	var want, free []string
	lists := map[string][]string{accountA: nil, accountB: nil}
	for id, holder := range m.model {
		want = append(want, strings.TrimSuffix(id+"="+holder, "="))
		if holder == "" {
			free = append(free, id)
		} else {
			lists[holder] = append(lists[holder], id)
		}
	}
	m.holds(want...)
	slices.Sort(free)
	m.pages(m.Pool, Filter{PageSize: 3}, free)
	for _, holder := range slices.Sorted(maps.Keys(lists)) {
		slices.SortFunc(lists[holder], func(a, b string) int {
			return netip.MustParseAddr(a).Compare(netip.MustParseAddr(b))
		})
		items, err := m.Read().Assigned(m.Context(), holder)
		m.ok(err)
		if got := addressesOf(items); !slices.Equal(got, lists[holder]) {
			m.Errorf("%s has %v, want %v", holder, got, lists[holder])
		}
	}
}
