package dedicatedip

import (
	"context"
	"fmt"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/fault"
)

// A full pass may remove this many copies, or this share of those it saw, without asking.
const (
	harmlessRemovals = 10
	harmlessPercent  = 10
)

func tooManyRemovals(removals, copies int) bool {
	return removals > harmlessRemovals && removals*100 > copies*harmlessPercent
}

// TooManyRemovalsError stops a full pass before it removes any copy: so many would go that the pool is more likely to
// be incomplete than the copies to be wrong, and they may be the last record of who held what.
type TooManyRemovalsError struct{ Removals, Copies int }

func (e *TooManyRemovalsError) Error() string {
	return fmt.Sprintf("a full pass would remove %d of the accounts' %d copies of addresses, so it has stopped: is %s "+
		"incomplete? If so, restore it or run \"junctor ips rebuild --from-copies\"; if not, run "+
		"\"junctor ips repair --confirm\"", e.Removals, e.Copies, Database)
}

// unexplained notes those copies of addresses that an account does not hold for which the pool does not show why. It
// does where its document of the address is at least as new as the copy, as after every release and every move.
func (p *pass) unexplained(ctx context.Context, accountID string, ids []string) error {
	db, err := account.Database(accountID)
	if err != nil {
		return nil //nolint:nilerr // there can be no such database
	}
	for some := range slices.Chunk(ids, chunk) {
		pool, err := p.store.GetMany(ctx, Database, some)
		if err != nil {
			return err
		}
		copies, err := p.store.GetMany(ctx, db, some)
		if err != nil && !fault.Is(err, fault.DatastoreMissing) {
			return err
		}
		for _, id := range some {
			copied, _ := copies[id].Int(fieldModified)
			modified, _ := pool[id].Int(fieldModified)
			if copies[id] != nil && (!isDedicatedIP(pool[id]) || modified < copied) {
				p.doomed[copyName{accountID, id}] = true
			}
		}
	}
	return nil
}

// spareContested leaves copies of an address alone that several accounts have and the pool does not explain, as after a
// rebuild: the copies are the only record of it.
func (p *pass) spareContested() {
	claimants := map[string][]string{}
	for name := range p.doomed {
		key := addressKey(name.id)
		claimants[key] = append(claimants[key], name.accountID)
	}
	for name := range p.doomed {
		accounts := claimants[addressKey(name.id)]
		if len(accounts) < 2 {
			continue
		}
		p.copies[name.accountID] = slices.DeleteFunc(p.copies[name.accountID], func(id string) bool { return id == name.id })
		p.log.Error().Str("ip", name.id).Str("account", name.accountID).Int("accounts", len(accounts)).
			Msg("several accounts have copies of an address that the pool does not know as theirs: assign it to its holder")
	}
}
