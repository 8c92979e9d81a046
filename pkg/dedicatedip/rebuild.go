package dedicatedip

import (
	"context"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// Rebuilt is what a rebuild of the pool did. It does not restore addresses that no account had: there are no copies of
// them.
type Rebuilt struct {
	Accounts  int     `json:"accounts"`            // whose copies were read
	Restored  int     `json:"restored"`            // addresses that were written to the pool
	Present   int     `json:"present"`             // those that it had, with the same holder
	Contested []Claim `json:"contested,omitempty"` // copies that contradict each other, or the pool
	Unclear   []Claim `json:"unclear,omitempty"`   // copies that do not say that their account holds the address
}

// Claim is an account's copy of an address from which the pool was not rebuilt.
type Claim struct {
	IP      string `json:"ip"`
	Account string `json:"account"`
	Zone    string `json:"zone,omitempty"`
	Host    string `json:"host,omitempty"`
	// Holder is the account that has the address in the pool, if that is another one.
	Holder string `json:"holder,omitempty"`
}

// rebuild is one rebuild of the pool.
type rebuild struct {
	*Pool
	Rebuilt
	claimants map[string][]string // by address: accounts with a copy of it
	spelled   map[string]string   // by address: the id that the pool has it under
	by        history.Actor
}

// RebuildFromCopies writes to the pool what accounts have copies of and the pool does not have, and creates the pool's
// database where it is missing. It changes no document that is there, so that it may be repeated. An address that
// several accounts have copies of is left to the operator. No full pass is made meanwhile.
func (p *Pool) RebuildFromCopies(
	ctx context.Context, r *projection.Reconciler, s pooldb.Installer, by history.Actor,
) (Rebuilt, error) {
	b := &rebuild{Pool: p, claimants: map[string][]string{}, spelled: map[string]string{}, by: by}
	err := r.WithoutPasses(ctx, func(ctx context.Context, c projection.Copies) error { return b.run(ctx, c, s) })
	return b.Rebuilt, err
}

func (b *rebuild) run(ctx context.Context, c projection.Copies, s pooldb.Installer) (err error) {
	b.Accounts, err = c.Each(ctx, func(accountID string, copies []document.Document) error {
		for _, doc := range copies {
			key := ipaddr.KeyOf(doc.ID())
			if !slices.Contains(b.claimants[key], accountID) {
				b.claimants[key] = append(b.claimants[key], accountID)
			}
		}
		return nil
	})
	if err == nil {
		err = b.open(ctx, s)
	}
	if err == nil {
		_, err = c.Each(ctx, func(accountID string, copies []document.Document) error {
			return b.restore(ctx, accountID, copies)
		})
	}
	return err
}

// open creates the pool's database where it is missing, and reads which addresses it has.
func (b *rebuild) open(ctx context.Context, s pooldb.Installer) (err error) {
	if err := pooldb.Create(ctx, s); err != nil {
		return err
	}
	const page = 500
	return store.AllPages(ctx, b.store, Database, page, func(docs []document.Document) error {
		for _, doc := range docs {
			b.spelled[ipaddr.KeyOf(doc.ID())] = doc.ID()
		}
		return nil
	})
}

// restore writes to the pool what an account has copies of.
func (b *rebuild) restore(ctx context.Context, accountID string, copies []document.Document) error {
	var ids []string
	for _, doc := range copies {
		if id, ok := b.spelled[ipaddr.KeyOf(doc.ID())]; ok {
			ids = append(ids, id)
		}
	}
	pool, err := b.store.GetMany(ctx, Database, ids)
	if err != nil {
		return err
	}
	var missing []document.Document
	for _, doc := range copies {
		key := ipaddr.KeyOf(doc.ID())
		known, claim := pool[b.spelled[key]], claimOf(doc, accountID)
		switch {
		case known != nil && (IP{known}).heldBy(accountID):
			b.Present++
		case known != nil:
			claim.Holder = IP{known}.AssignedTo()
			b.Contested = append(b.Contested, claim)
		case len(b.claimants[key]) > 1:
			b.Contested = append(b.Contested, claim)
		case doc.String(fieldStatus) != assigned || doc.String(fieldAssignedTo) != accountID:
			b.Unclear = append(b.Unclear, claim)
		default:
			missing = append(missing, projection.Content(doc))
		}
	}
	return b.write(ctx, accountID, missing)
}

func (b *rebuild) write(ctx context.Context, accountID string, docs []document.Document) (failed error) {
	if len(docs) == 0 {
		return nil
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	for i, written := range b.putNew(ctx, b.by, docs...) {
		switch {
		case written.Err == nil:
			b.Restored++
		case fault.Is(written.Err, fault.Conflict): // somebody has just created it
			b.Contested = append(b.Contested, claimOf(docs[i], accountID))
		default:
			failed = written.Err
		}
	}
	return failed
}

func claimOf(doc document.Document, accountID string) Claim {
	return Claim{IP: doc.ID(), Account: accountID, Zone: doc.String(fieldZone), Host: doc.String(fieldHost)}
}
