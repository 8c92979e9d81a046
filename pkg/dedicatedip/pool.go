// Package dedicatedip is the pool of dedicated IPs: proxy addresses that are created, assigned to accounts,
// released and deleted.
//
// It holds the rules of Kazoo's kz_ip, kz_ips and cb_ips. The documents of database dedicated_ips are the truth;
// while an address is assigned, a copy of its document stands in the account's own database, which is what Kazoo
// bills by. The write to dedicated_ips is the commit: revisions decide between writers, and the copy follows.
//
// The package knows neither HTTP nor CouchDB's wire, and it does not authorize: the caller may act for the
// account ids that it passes.
package dedicatedip

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/mirror"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/reservation"
	"junctor/pkg/store"
)

// Database is the name of the pool's database.
const Database = pooldb.Database

// Store is what the pool needs of a store.
type Store interface {
	mirror.Store
	store.Writer
	store.Viewer
	store.Lister
	GetDeleted(
		ctx context.Context, db string, ids []string,
	) (gone map[string]document.Document, there map[string]bool, err error)
	Resolve(ctx context.Context, db string, doc document.Document, each func(loser document.Document)) error
}

// Pool is the pool of dedicated IPs of one cluster. It is safe for concurrent use, by any number of processes on
// one store.
type Pool struct {
	store     Store
	options   Options
	projector *projection.Projector // writes the accounts' copies

	memory   atomic.Pointer[memory] // while the pool follows the store; nil otherwise
	reserved reservation.Set        // by allocations
}

// Options configures a Pool. The zero value is usable; nil functions are not called.
type Options struct {
	// Zone is the zone of this node: its addresses come first where an account's addresses are listed.
	Zone string
	// ZoneName returns under which name a zone goes among addresses. Nil means its own.
	ZoneName func(ctx context.Context, zone string) string
	// Settings are those of operators; nil disables cooling and the limit of an account.
	Settings Settings
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Copies configures the projector of the accounts' copies. New sets Current, AsOf and Log.
	Copies projection.Options
	// History gets the record of each change. Nil disables it: documents then drop changes that are in no history.
	History *history.Log
	Log     zerolog.Logger
}

// New returns the pool in store. Close ends it.
func New(s Store, o Options) *Pool {
	if o.ZoneName == nil {
		o.ZoneName = func(_ context.Context, zone string) string { return zone }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Pool{store: s, options: o}
	o.Copies.Current, o.Copies.AsOf, o.Copies.Log = p.currentRevision, p.followedUpTo, o.Log
	p.projector = projection.New(s, o.Copies)
	return p
}

// Close interrupts writes of copies that are not done yet. The error is always nil.
func (p *Pool) Close() error {
	p.projector.Close()
	return nil
}

// Projector returns what writes the accounts' copies.
func (p *Pool) Projector() *projection.Projector { return p.projector }

// CreateRequest asks for an address to be added to the pool. Zone and host have 1 to ipbatch.MaxName
// characters, notes at most ipbatch.MaxNotes.
type CreateRequest struct {
	Address, Zone, Host, Notes string
	By                         history.Actor
}

// Create adds an address to the pool. Its id is the address in canonical form (RFC 5952; an IPv4-mapped IPv6 address is
// its IPv4 address). An equal address in any spelling is a fault.Conflict (Crossbar: datastore_conflict).
func (p *Pool) Create(ctx context.Context, r CreateRequest) (IP, error) {
	addr, ok := ipaddr.Parse(r.Address)
	if !ok {
		return IP{}, notAnAddress("ip", r.Address)
	}
	if known, err := p.knows(ctx, addr); err != nil {
		return IP{}, err
	} else if known {
		return IP{}, fault.New(fault.Conflict, "")
	}
	r.Address = addr.String()
	return p.insert(ctx, r)
}

// knows reports whether the pool has an address in any spelling. Both the index and the view may be behind; two
// spellings of one address are found by the one that comes later.
func (p *Pool) knows(ctx context.Context, addr netip.Addr) (bool, error) {
	if x := p.Read().index; x != nil && x.Find(addr.String()) == nil {
		return false, nil
	}
	twins, err := pooldb.ByAddress(ctx, p.store, ipaddr.Key(addr))
	return len(twins) > 0, err
}

// get reads the document of an address from the store.
func (p *Pool) get(ctx context.Context, address string) (IP, error) {
	found, err := p.lookup(ctx, []string{address})
	if err != nil {
		return IP{}, err
	}
	ip, ok := found[address]
	if !ok {
		return IP{}, fault.Unknown(address, nil)
	}
	return ip, nil
}

// deleteAttempts bounds how often Delete tries again after another writer has changed the document.
const deleteAttempts = 5

// DeleteRequest asks for an address to be removed from the pool.
type DeleteRequest struct {
	Address string // in any spelling
	IfMatch store.Match
	By      history.Actor
}

// Delete removes an address from the pool, even if an account holds it, and the account's copy. It returns the address
// as it was, or fault.BadIdentifier if the pool does not have it.
func (p *Pool) Delete(ctx context.Context, r DeleteRequest) (IP, error) {
	for attempt := 1; ; attempt++ {
		ip, err := p.get(ctx, r.Address)
		if err == nil {
			err = r.IfMatch.Check(ip.Revision())
		}
		if err == nil {
			err = p.remove(ctx, ip, r.By)
		}
		if err == nil {
			return ip, nil
		}
		if !fault.Is(err, fault.Conflict) || attempt == deleteAttempts {
			return IP{}, err
		}
	}
}

// remove deletes a document as it was read, and the holder's copy with it, also where the store's response is lost.
func (p *Pool) remove(ctx context.Context, ip IP, by history.Actor) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	tombstone := document.Document{"_id": ip.ID(), "_rev": ip.Revision(), "_deleted": true}
	history.Record(tombstone, ip.doc, by, p.now()) // a tombstone has a body, so that the record goes on from it
	switch err := p.put(ctx, tombstone)[0].Err; {
	case err == nil:
		logChange(ctx, history.Event{Action: history.Deleted, From: ip.AssignedTo()}, ip.ID())
		p.projector.Project(ctx, ip.AssignedTo(), []document.Document{tombstone})
		return nil
	case fault.Is(err, fault.DatastorePartial):
		p.projector.CompareLater(ip.AssignedTo(), []string{ip.ID()})
		return err
	case !fault.Is(err, fault.Conflict):
		p.projector.Compare(ip.AssignedTo(), []string{ip.ID()})
		return err
	default:
		return err
	}
}

// now returns the time in Gregorian seconds.
func (p *Pool) now() int64 { return kazoo.Gregorian(p.options.Now()) }

func notAnAddress(path string, value any) error {
	return fault.Finding(path, "not_one_schema_valid", "failed to validate", map[string]any{"value": value})
}
