package dedicatedip

import (
	"context"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/poolindex"
)

// Reader reads the pool: from memory if that was current when the Reader was made, else from the store. It is for one
// request.
type Reader struct {
	pool      *Pool
	index     *poolindex.Index // nil: read from the store
	documents *documentCache   // beside the index
	why       string           // why it reads from the store although the pool is in memory
}

// Read returns a Reader.
func (p *Pool) Read() Reader {
	m, why := p.forReads()
	switch {
	case m == nil:
		return Reader{pool: p}
	case why == "":
		if m.behind.Swap(false) {
			p.options.Log.Info().Msg("reads of dedicated IPs are served from memory again")
		}
		return Reader{pool: p, index: m.index, documents: m.documents}
	}
	m.bypassed.Add(1)
	if !m.behind.Swap(true) {
		p.options.Log.Warn().Str("why", why).Msg("reads of dedicated IPs go to the store, which is slower")
	}
	return Reader{pool: p, why: why}
}

// Bypassed reports whether r reads from the store because the pool in memory is not current.
func (r Reader) Bypassed() bool { return r.why != "" }

// Index returns the pool in memory, nil if r reads from the store.
func (r Reader) Index() *poolindex.Index { return r.index }

// forReads returns the pool in memory, nil if reads don't use it, and why they can't be served from it now, "" if they
// can.
func (p *Pool) forReads() (m *memory, why string) {
	m = p.memory.Load()
	if m == nil || m.staleness == 0 {
		return nil, ""
	}
	asOf := m.mirror.AsOf()
	if asOf.IsZero() {
		return m, "the pool is being read"
	}
	if age := time.Since(asOf); age > m.staleness {
		return m, "the change feed is behind by " + age.Round(time.Millisecond).String()
	}
	return m, ""
}

// FromMemory reports whether reads are served from memory at the moment.
func (p *Pool) FromMemory() bool {
	m, why := p.forReads()
	return m != nil && why == ""
}

// Counts returns how many addresses the pool has, by zone and status ("available", "assigned"). ok is false while they
// are not known from memory.
func (p *Pool) Counts() (counts map[[2]string]int, ok bool) {
	m, why := p.forReads()
	if m == nil || why != "" {
		return nil, false
	}
	counts = map[[2]string]int{}
	for group, count := range m.index.Counts() {
		counts[[2]string{group.Zone, group.Status}] += count
	}
	return counts, true
}

// Get returns the address equal to the one given, in any spelling, or fault.BadIdentifier.
func (r Reader) Get(ctx context.Context, address string) (Address, error) {
	if r.index == nil {
		ip, err := r.pool.get(ctx, address)
		return ip.Address(), err
	}
	e := r.index.Find(address)
	if e == nil {
		return Address{}, fault.Unknown(address, nil)
	}
	return AddressOf(e), nil
}
