package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"junctor/pkg/backoff"
	"junctor/pkg/dedicatedip"
)

// checkpoint is a file: a line with a sequence of the pool's feed, and a line for each copy in an account's database
// that was written since. The feed does not tell of these: the document of an address that is released no longer names
// the account that had it. A line is appended before the copy is written, without a sync, so it survives a kill of the
// process. A new file replaces this one at a moment when no write is in flight and no notice waits.
type checkpoint struct {
	path   string
	file   *os.File
	since  string
	noted  map[subject]bool // what has a line
	made   time.Time
	madeAt int  // p.begun
	failed bool // a line could not be appended
}

const (
	fileName   = "notices.checkpoint"
	legacyName = "notices.db"
	everything = "0"             // the sequence before the first change
	startTime  = 2 * time.Second // to learn where the feed is
)

// openCheckpoint reads what an earlier process left, which is replayed, or else starts at the end of the feed. A file
// that is no checkpoint stands for everything, also the one in which older versions stored each notice.
func (p *Publisher) openCheckpoint(ctx context.Context) error {
	legacy := filepath.Join(p.options.Dir, legacyName)
	if err := os.Rename(legacy, p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := os.ReadFile(p.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		ctx, cancel := context.WithTimeout(ctx, startTime)
		defer cancel()
		if p.since, err = p.sequence(ctx); err != nil {
			p.since = everything
		}
	case err != nil:
		return err
	default:
		first, rest, _ := bytes.Cut(text, []byte("\n"))
		if json.Unmarshal(first, &p.since) != nil {
			p.since = everything
			p.options.Log.Warn().Str("file", p.path).Msg("change notices of all addresses are published: " +
				"there is no readable checkpoint, or it is " + legacyName + " of an older version")
		}
		for line := range bytes.Lines(rest) {
			var s [2]string
			if json.Unmarshal(line, &s) == nil { // else it was cut short by a crash
				p.noted[subject{s[0], s[1]}] = true
			}
		}
		p.missed = true
		ring(p.due)
	}
	return p.install(p.since, p.noted, func() bool { return true })
}

// install writes a checkpoint to disk, and makes it the current one if that is still right then.
func (p *Publisher) install(since string, noted map[subject]bool, right func() bool) error {
	text, err := json.Marshal(since)
	if err != nil {
		return err
	}
	for s := range noted {
		text = s.appendLine(text)
	}
	file, err := os.OpenFile(p.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync())
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && right() {
		err = os.Rename(file.Name(), p.path)
		if err == nil {
			old := p.file
			p.file, p.since, p.noted, p.made, p.madeAt, p.failed = file, since, noted, time.Now(), p.begun, false
			if old != nil {
				_ = old.Close()
			}
			return nil
		}
	}
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

func (s subject) appendLine(text []byte) []byte {
	line, _ := json.Marshal([2]string{s.db, s.id}) // text always can be
	return append(append(text, '\n'), line...)
}

// note appends the copies that are about to be written. p.mu is held.
func (p *Publisher) note(notices []*notice) {
	var lines []byte
	for _, n := range notices {
		switch {
		case n.subject.db == dedicatedip.Database || p.noted[n.subject]:
		case len(p.noted) == p.limits.noted:
			p.dropped++ // if this process is killed before it is sent
		default:
			p.noted[n.subject] = true
			lines = n.subject.appendLine(lines)
		}
	}
	if _, err := p.file.Write(lines); err != nil && !p.failed {
		p.failed = true
		p.options.Log.Error().Err(err).Msg("can't write the checkpoint of change notices: a crash now would lose some")
	}
}

// keepCheckpoint makes new checkpoints until ctx ends.
func (p *Publisher) keepCheckpoint(ctx context.Context) {
	for ; ctx.Err() == nil; _ = backoff.Sleep(ctx, p.limits.every/5) {
		if err := p.renewCheckpoint(ctx); err != nil && ctx.Err() == nil {
			p.options.Log.Warn().Err(err).
				Msg("can't make a checkpoint of change notices: a crash would publish more of them again")
		}
	}
}

// idleTime is how long a checkpoint stays while this process writes nothing. A new one spares a replay what others
// write.
const idleTime = time.Minute

// renewCheckpoint makes a checkpoint if it is time and nothing is outstanding, also not while it is made.
func (p *Publisher) renewCheckpoint(ctx context.Context) error {
	p.mu.Lock()
	begun, age := p.begun, time.Since(p.made)
	due := p.idle() && (begun != p.madeAt && age > p.limits.every || age > idleTime || p.since == everything)
	p.mu.Unlock()
	if !due {
		return nil
	}
	since, err := p.sequence(ctx)
	if err != nil || since == everything {
		return err
	}
	return p.install(since, map[subject]bool{}, func() bool { return p.begun == begun && p.idle() })
}

// sequence returns where the feed is now.
func (p *Publisher) sequence(ctx context.Context) (string, error) {
	exists, err := p.source.DatabaseExists(ctx, dedicatedip.Database)
	if err != nil || !exists {
		return everything, err
	}
	return p.source.Sequence(ctx, dedicatedip.Database)
}

// idle reports whether nothing is outstanding. p.mu is held.
func (p *Publisher) idle() bool { return p.inFlight+p.waiting() == 0 && !p.active && !p.missed }

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
