package fresh

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Feeds tells where the change feeds of databases are; *store.Store does.
type Feeds interface {
	// Sequences answers the head of each database's feed, "" for a database that does not exist.
	Sequences(ctx context.Context, dbs []string) ([]string, error)
}

// database is what is known of the feed of one.
type database struct {
	used  time.Time // by somebody who asked for a document
	head  string
	since time.Time // the head has not moved since then, …
	asOf  time.Time // … as of then
	rest  int       // asks to leave it out of
	pause int       // the rest to come if it has moved again
}

// The bounds of following. There is a database for every account, and no other has all that is in it: users are
// nowhere else, and the copies of accounts in "accounts" come later, or never. That is why heads are asked for, many
// at a time: to wait for the changes of each database would take a connection for each.
const (
	asksPerStaleness = 2
	maxDatabases     = 300         // at once; the documents of others are read more often
	databasesPerAsk  = 100         // what a CouchDB takes (max_db_number_for_dbs_info_req)
	idleTime         = time.Minute // without use, after which a database is no longer followed
	longestRest      = 7           // asks
)

// follow takes note that documents of a database are in use.
func (d *Documents) follow(name string) {
	if d.databases[name] == nil && len(d.databases) < maxDatabases {
		d.databases[name] = &database{used: time.Now()}
	}
}

// standing answers as of when a reading stands: it began then, or it began after the database was last written to,
// as is known as of then.
func (d *Documents) standing(s *slot, now time.Time) time.Time {
	db := d.databases[s.at.db]
	if db == nil {
		return s.began
	}
	db.used = now
	if s.began.Before(db.since) || db.asOf.Before(s.began) {
		return s.began
	}
	return db.asOf
}

// Follow keeps documents standing that nobody has written to, until ctx ends. It has to end before the store is
// closed.
func (d *Documents) Follow(ctx context.Context, feeds Feeds) {
	pause := d.options.Staleness / asksPerStaleness
	if pause <= 0 {
		return // nothing is remembered
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := d.ask(ctx, feeds)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !away:
			d.options.Log.Warn().Err(err).Msg("change feeds can't be followed; documents are read more often")
		case err == nil && away:
			d.options.Log.Info().Msg("change feeds are followed again")
		}
		away = err != nil
	}
}

// ask asks for the heads of the feeds of all databases in use. An answer that takes longer than the staleness says
// nothing any more.
func (d *Documents) ask(ctx context.Context, feeds Feeds) error {
	ctx, cancel := context.WithTimeout(ctx, d.options.Staleness)
	defer cancel()
	began := time.Now()
	for names := range slices.Chunk(d.inUse(), databasesPerAsk) {
		sent := time.Now()
		heads, err := feeds.Sequences(ctx, names)
		if err != nil {
			return err
		}
		d.hear(names, heads, sent)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.followed = began
	return nil
}

// inUse answers the databases to ask for, and lets go of those that are not used any more.
func (d *Documents) inUse() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.databases, func(_ string, db *database) bool { return time.Since(db.used) > idleTime })
	for name, db := range d.databases {
		if db.rest > 0 {
			db.rest--
			continue
		}
		names = append(names, name)
	}
	return names
}

// hear takes in heads that were asked for at a time. One that was heard before has not moved from then until now;
// one that is new may have moved up to now. A database that is written to all the time is left out ever longer: its
// head tells nothing, and costs a CouchDB more than to read its documents once in a while.
func (d *Documents) hear(names, heads []string, sent time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, name := range names {
		db := d.databases[name]
		known := !db.since.IsZero()
		if known && db.head == heads[i] {
			db.asOf, db.pause = sent, 0
			continue
		}
		if known {
			db.rest, db.pause = db.pause, min(2*db.pause+1, longestRest)
		}
		db.head, db.since, db.asOf = heads[i], time.Now(), time.Time{}
	}
}
