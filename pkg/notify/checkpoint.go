package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/statefile"
)

// checkpoint is a file: a line with a sequence of the pool's feed, and a line for each copy in an account's database
// that was written since. The feed does not have these: the document of an address that is released no longer names
// the account that had it. A line is appended before the copy is written. The file begins anew when no write is in
// flight and no notice waits, and is removed if a process stops in that state.
//
// The file survives a kill of the process. It is never synced: a power cut leaves an older checkpoint, from which more
// is published again, or one that can't be read, which stands for everything.
type checkpoint struct {
	path   string
	file   *os.File
	since  string
	noted  map[subject]bool // what has a line; true if a replay has to publish it
	failed bool             // a line could not be appended
}

// CheckpointFile is the name of the checkpoint in Options.Dir. Without it everything is published again.
const CheckpointFile = "notices.checkpoint"

const everything = "0" // the sequence before the first change

// openCheckpoint reads what an earlier process left, and has it replayed.
func (p *Publisher) openCheckpoint() error {
	text, err := os.ReadFile(p.path)
	if err == nil {
		p.parseCheckpoint(text)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.file, err = os.OpenFile(p.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	return statefile.SyncFolder(p.options.Dir) // without the file the next process would have nothing to replay
}

func (p *Publisher) parseCheckpoint(text []byte) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if json.Unmarshal(first, &p.since) != nil {
		p.options.Log.Warn().Str("file", p.path).Msg("change notices of all addresses are published: " +
			"there is no readable checkpoint")
	}
	for line := range bytes.Lines(rest) {
		var s [2]string
		if json.Unmarshal(line, &s) == nil { // else it was cut short by a crash
			p.noted[subject{s[0], s[1]}] = true
		}
	}
	p.scheduleReplay(time.Now().Add(p.limits.late)) // the earlier process may have had writes in flight
}

// note appends the copies that are about to be written. p.mu is held.
func (p *Publisher) note(notices []*notice) {
	var lines []byte
	for _, n := range notices {
		_, known := p.noted[n.subject]
		switch {
		case n.subject.db == kazoo.DedicatedIPs || known:
		case len(p.noted) >= p.limits.noted:
			p.dropped++ // if it is not sent from the queue
		default:
			p.noted[n.subject] = false
			line, _ := json.Marshal([2]string{n.subject.db, n.subject.id}) // text always can be
			lines = append(append(lines, '\n'), line...)
		}
	}
	if _, err := p.file.Write(lines); err != nil && !p.failed {
		p.failed = true
		p.options.Log.Error().Err(err).Msg("can't write the checkpoint of change notices: a crash now would lose some")
	}
}

// renewCheckpoint begins the checkpoint anew where the feed is now, if nothing is outstanding and no write begins
// meanwhile.
func (p *Publisher) renewCheckpoint(ctx context.Context) {
	p.mu.Lock()
	begun, idle := p.begun, p.idle()
	p.mu.Unlock()
	if !idle {
		return
	}
	since, _, err := p.source.Position(ctx, kazoo.DedicatedIPs)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && p.begun == begun && (since != p.since || len(p.noted) > 0) {
		err = p.restart(since)
	}
	if err != nil && !fault.Is(err, fault.DatastoreMissing) && ctx.Err() == nil {
		p.options.Log.Warn().Err(err).
			Msg("can't make a checkpoint of change notices: a crash would publish more of them again")
	}
}

// restart begins the checkpoint anew. A kill in the middle leaves a file that can't be read. p.mu is held.
func (p *Publisher) restart(since string) error {
	p.since, p.failed = since, false
	clear(p.noted)
	text, err := json.Marshal(since)
	if err != nil {
		return err
	}
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	_, err = p.file.Write(text)
	return err
}

// closeCheckpoint removes the file if nothing is outstanding, so that the next process has nothing to replay.
func (p *Publisher) closeCheckpoint() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.file.Close()
	if p.idle() {
		err = errors.Join(err, os.Remove(p.path))
	}
	return err
}
