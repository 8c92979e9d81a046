package dedicatedip

import (
	"context"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// confirm answers a lost race that a CouchDB cluster did not see when it took the write: two of its nodes can
// accept one writer each for the same revision, and one of the two revisions then wins everywhere.
func (p *Pool) confirm(ctx context.Context, ip IP) error {
	doc, won, err := p.store.Winner(ctx, Database, ip.ID(), ip.Revision())
	switch {
	case fault.Is(err, fault.BadIdentifier): // deleted by somebody who saw our write
		return nil
	case err != nil:
		return err
	}
	p.settle(ctx, doc)
	p.wrote(doc) // it may be another writer's, and is as good as ours to know
	if !won {
		return lost(ip)
	}
	return nil
}

// settle ends a conflict: the losing revisions are removed, and with each the copy in the account it spoke of.
// Any process that sees a conflict may do it, also when another is at it. The copy goes first: as long as the
// conflict is there, somebody will take this up again.
func (p *Pool) settle(ctx context.Context, winner document.Document) {
	losers := winner.Strings("_conflicts")
	delete(winner, "_conflicts")
	if len(losers) == 0 {
		return
	}
	ctx, cancel := committed(ctx)
	defer cancel()
	for _, rev := range losers {
		loser, err := p.store.GetRevision(ctx, Database, winner.ID(), rev)
		if err == nil {
			p.projector.Compare(loser.String(fieldAssignedTo), []string{winner.ID()})
			err = p.store.Delete(ctx, Database, winner.ID(), rev)
		}
		event := p.options.Log.Warn()
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.BadIdentifier) {
			event = p.options.Log.Error().Err(err)
		}
		event.Str("ip", winner.ID()).Str("winner", winner.Rev()).Str("loser", rev).
			Str("holder", winner.String(fieldAssignedTo)).Str("lost", loser.String(fieldAssignedTo)).
			Msg("two writers held one address on this CouchDB cluster; the winning revision stays")
	}
}
