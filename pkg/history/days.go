package history

import (
	"context"
	"time"

	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Day says how many addresses were assigned at the end of a day in UTC, or now if it has not ended.
type Day struct {
	Day      string `json:"day"` // as "2026-11-27"
	Assigned int    `json:"assigned"`
}

const daySeconds = 24 * 60 * 60

// AssignedByDay returns the last days, today last. assigned is how many addresses are assigned now: the days before
// follow from the events since.
func (l *Log) AssignedByDay(ctx context.Context, assigned, days int) ([]Day, error) {
	l.tryFlush(ctx)
	today := kazoo.Gregorian(l.now()) / daySeconds // which begins at midnight, as year 0 did
	first := today - int64(days) + 1
	changes := map[int64]int{}
	q := store.Query{StartKey: first, EndKey: today, Group: true}
	err := l.store.View(ctx, Database, design, byDay, q, func(row store.Row) error {
		var day int64
		var change int
		if err := row.Key(&day); err != nil {
			return err
		}
		err := row.Value(&change)
		changes[day] = change
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]Day, days)
	for i := days - 1; i >= 0; i-- {
		day := first + int64(i)
		list[i] = Day{kazoo.FromGregorian(day * daySeconds).Format(time.DateOnly), max(assigned, 0)}
		assigned -= changes[day]
	}
	return list, nil
}
