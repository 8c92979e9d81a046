package pooldb

import (
	"context"

	"junctor/pkg/store"
)

// SummaryRow is one row of the overview of the pool. What the document does not have is empty.
type SummaryRow struct{ IP, Status, Zone, Host, AssignedTo string }

// Summary lists everything in the pool by host and then by id: of one host or, if host is empty, of all.
func Summary(ctx context.Context, s store.Viewer, host string) ([]SummaryRow, error) {
	var q store.Query
	if host != "" {
		q.Key = host
	}
	var rows []SummaryRow
	err := s.View(ctx, Database, KazooDesign, "summary_listing", q, func(row store.Row) error {
		r, err := ReadSummaryRow(row)
		if err != nil || host != "" && r.Host != host { // which collation holds equal
			return err
		}
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// ReadSummaryRow reads a row of Kazoo's view summary_listing.
func ReadSummaryRow(row store.Row) (SummaryRow, error) {
	var value map[string]any
	err := row.Value(&value)
	text := func(key string) string {
		v, _ := value[key].(string)
		return v
	}
	return SummaryRow{row.ID(), text("status"), text("zone"), text("host"), text("assigned_to")}, err
}
