package dedicatedip

import (
	"context"

	"junctor/pkg/pooldb"
	"junctor/pkg/store"
)

// Summary is one row of the overview of the pool. What the document does not have is empty.
type Summary struct{ IP, Status, Zone, Host, AssignedTo string }

// Summary lists everything in the pool by host and then by id, of one host or, without one, of all.
func (p *Pool) Summary(ctx context.Context, host string) ([]Summary, error) {
	var q store.Query
	if host != "" {
		q.Key = host
	}
	var rows []Summary
	err := p.store.View(ctx, Database, pooldb.KazooDesign, "summary_listing", q, func(row store.Row) error {
		var value map[string]any
		if err := row.Value(&value); err != nil {
			return err
		}
		text := func(key string) string {
			s, _ := value[key].(string)
			return s
		}
		if host != "" && text("host") != host { // collation holds the two names equal
			return nil
		}
		rows = append(rows, Summary{row.ID(), text("status"), text("zone"), text("host"), text("assigned_to")})
		return nil
	})
	return rows, err
}
