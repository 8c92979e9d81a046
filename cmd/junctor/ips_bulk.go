package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/ipbatch"
	"junctor/pkg/pooldb"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// bulk creates any number of addresses, in pieces. What is refused does not stop the rest.
type bulk struct {
	pool   *dedicatedip.Pool
	dryRun bool
	by     history.Actor
	// created is called after each piece. It may be nil.
	created func()

	entries []ipbatch.Entry // of the next piece
	numbers []int           // of the rows that they are of; 0 is of no file
	size    int             // addresses of the entries

	Done bulkDone
}

// createInBulk has add create addresses, and prints what became of them. In a store that junctor was never installed in, a
// real run creates the pool: a dry run then compares the addresses with an empty one.
func (c *cli) createInBulk(ctx context.Context, a *app, dryRun bool, add func(*bulk) error) error {
	b := &bulk{pool: a.pool, dryRun: dryRun, by: c.actor(history.CLI), Done: bulkDone{DryRun: dryRun}}
	if dryRun {
		known, err := a.knowsPool(ctx)
		if err != nil {
			return err
		}
		if !known {
			empty, err := store.Open(embedded.Memory, store.Options{Log: a.log})
			if err != nil {
				return err
			}
			defer empty.Close()
			if err := pooldb.Install(ctx, empty); err != nil {
				return err
			}
			b.pool = dedicatedip.New(empty, dedicatedip.Options{Log: a.log})
			defer b.pool.Close()
		}
	}
	err := add(b)
	return c.printBulk(b.Done, err)
}

// knowsPool reports whether the store has the pool, or had it.
func (a *app) knowsPool(ctx context.Context) (known bool, err error) {
	for _, db := range []string{dedicatedip.Database, projection.StateDatabase} {
		if known, err = a.store.DatabaseExists(ctx, db); known || err != nil {
			break
		}
	}
	return known, err
}

// bulkDone is what became of the addresses.
type bulkDone struct {
	Created   int          `json:"created"`
	Unchanged int          `json:"unchanged"` // the pool had them with the same zone and host
	DryRun    bool         `json:"dry_run,omitempty"`
	Refused   []refusedRow `json:"refused"` // the first maxRefusals
	More      int          `json:"more_refused,omitempty"`
}

// refusedRow is a row, or a part of one, that was refused.
type refusedRow struct {
	Row     int    `json:"row,omitempty"` // the line of a CSV file, the element of a JSON list
	Value   string `json:"value"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

const (
	pieceEntries   = 2000 // entries of one piece, at most
	pieceAddresses = dedicatedip.MaxCreated / 4
	maxBlock       = 1 << 20 // addresses of one entry, at most: what a network is mistyped as
	maxRefusals    = 10_000
)

// add adds an entry. It creates the entries that are complete as a piece.
func (b *bulk) add(ctx context.Context, number int, e ipbatch.Entry) error {
	block, err := e.Block()
	size := 1 // of an entry that is wrong, which CreateMany refuses
	if err == nil {
		size = block.Size(maxBlock + 1)
	}
	if size > maxBlock {
		b.refuse(refusedRow{number, e.Text(), "too_many", fmt.Sprintf("it has more than %d addresses", maxBlock)})
		return nil
	}
	if size <= pieceAddresses {
		return b.append(ctx, number, e, size)
	}
	for part := range parts(block) {
		e.CIDR, e.Range = "", part
		if err := b.append(ctx, number, e, pieceAddresses); err != nil {
			return err
		}
	}
	return nil
}

// append adds an entry that fits into a piece.
func (b *bulk) append(ctx context.Context, number int, e ipbatch.Entry, size int) error {
	if len(b.entries) == pieceEntries || b.size+size > pieceAddresses {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.entries, b.numbers, b.size = append(b.entries, e), append(b.numbers, number), b.size+size
	return nil
}

// flush creates the entries that were added.
func (b *bulk) flush(ctx context.Context) error {
	if len(b.entries) == 0 {
		return nil
	}
	done, err := b.pool.CreateMany(ctx, dedicatedip.CreateManyRequest{Entries: b.entries, DryRun: b.dryRun, By: b.by})
	b.Done.Created += len(done.Created)
	b.Done.Unchanged += len(done.Unchanged)
	b.record(done.Refused)
	b.entries, b.numbers, b.size = b.entries[:0], b.numbers[:0], 0
	if b.created != nil {
		b.created()
	}
	return err
}

// record records what was refused of a piece.
func (b *bulk) record(refused fault.Fields) {
	indexes := make([]int, 0, len(refused))
	for text := range refused {
		index, _ := strconv.Atoi(text)
		indexes = append(indexes, index)
	}
	slices.Sort(indexes)
	for _, index := range indexes {
		codes := refused[strconv.Itoa(index)]
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			detail, _ := codes[code].(map[string]any)
			message, _ := detail["message"].(string)
			r := refusedRow{b.numbers[index], b.entries[index].Text(), code, message}
			addresses, ok := detail["addresses"].([]string)
			if !ok {
				b.refuse(r)
			}
			for _, r.Value = range addresses {
				b.refuse(r)
			}
		}
	}
}

func (b *bulk) refuse(r refusedRow) {
	if len(b.Done.Refused) == maxRefusals {
		b.Done.More++
		return
	}
	b.Done.Refused = append(b.Done.Refused, r)
}

// printBulk prints what became of addresses. It fails if some were refused. err is why not all were tried.
func (c *cli) printBulk(done bulkDone, err error) error {
	switch {
	case fault.Is(err, fault.DatastoreMissing):
		return fmt.Errorf("%w (%w)", projection.ErrPoolMissing, err)
	case fault.Is(err, fault.DatastoreMissingView): // of a dry run, which installs nothing
		return fmt.Errorf("the pool has no index of junctor's yet: \"junctor bootstrap\" installs it (%w)", err)
	}
	if err != nil && done.Created+done.Unchanged+len(done.Refused) == 0 {
		return err
	}
	done.Refused = append([]refusedRow{}, done.Refused...)
	slices.SortStableFunc(done.Refused, func(a, b refusedRow) int { return cmp.Compare(a.Row, b.Row) })
	created := "created"
	if done.DryRun {
		created = "would be created"
	}
	refused := len(done.Refused) + done.More
	rows := [][]string{{fmt.Sprintf("addresses: %d %s, %d were there already, %d refused", done.Created, created,
		done.Unchanged, refused)}}
	for _, r := range done.Refused {
		row := []string{r.Value, r.Message}
		if r.Row > 0 {
			row = append([]string{fmt.Sprintf("row %d", r.Row)}, row...)
		}
		rows = append(rows, row)
	}
	if done.More > 0 {
		rows = append(rows, []string{fmt.Sprintf("and %d more", done.More)})
	}
	if printErr := c.print(done, rows); printErr != nil {
		return printErr
	}
	switch {
	case err != nil:
		return partial{err, "the rest was not tried, and the command may be run again"}
	case refused > 0:
		return exitCode(1)
	}
	return nil
}

// parts returns the addresses of a block as ranges of at most pieceAddresses.
func parts(block ipaddr.Block) iter.Seq[string] {
	return func(yield func(string) bool) {
		first, n := block.First, 0
		for addr := range block.Addresses() {
			if n == 0 {
				first = addr
			}
			if n++; n == pieceAddresses || addr == block.Last {
				if !yield(first.String() + "-" + addr.String()) {
					return
				}
				n = 0
			}
		}
	}
}
