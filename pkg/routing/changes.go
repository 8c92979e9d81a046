package routing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// Change is a cluster as it is now: its document, or that it was deleted.
type Change struct {
	Cluster
	Deleted bool
}

// MarshalJSON returns Public of a cluster, and the id with "deleted" true of a deleted one.
func (c Change) MarshalJSON() ([]byte, error) {
	if c.Deleted {
		return document.Encode(document.Document{"id": c.ID(), "deleted": true})
	}
	return c.Cluster.MarshalJSON()
}

// position is a position in the feed: a sequence, and of which database, so that one of a database that was created
// again is noticed.
var position = regexp.MustCompile(`^([0-9]+(?:-[0-9A-Za-z_-]+)?)~([0-9a-f]{8})$`)

// Changes returns the clusters that were written after a position, each once and as it is now, and the position to go on
// from. Empty stands for the beginning: all clusters, none of the deleted ones. A position of another database is a
// fault.Invalid: its caller has to begin again.
func (r *Registry) Changes(ctx context.Context, since string) (changed []Change, next string, err error) {
	last, epoch, err := r.store.Position(ctx, Database)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256([]byte(epoch))
	suffix := "~" + hex.EncodeToString(sum[:4])
	seq := ""
	if since != "" {
		if !position.MatchString(since) || !strings.HasSuffix(since, suffix) {
			return nil, "", noPosition(since)
		}
		seq = strings.TrimSuffix(since, suffix)
	}
	changed = []Change{}
	if isAfter(seq, last) {
		return nil, "", noPosition(since)
	}
	err = r.store.ChangesSince(ctx, Database, seq, func(c store.Change) error {
		seq = c.Seq
		doc, err := c.Doc()
		switch {
		case err != nil:
			return err
		case isLive(doc):
			changed = append(changed, Change{Cluster: Cluster{doc}})
		case since != "" && isID(c.ID):
			changed = append(changed, Change{Cluster{document.Document{"_id": c.ID}}, true})
		}
		return nil
	})
	switch {
	case err != nil && seq != "" && len(changed) == 0 && fault.Is(err, fault.DatastoreFault): // the store cannot read it
		return nil, "", noPosition(since)
	case err != nil:
		return nil, "", err
	}
	if seq == "" {
		seq = "0"
	}
	return changed, seq + suffix, nil
}

func noPosition(since string) error {
	return fault.Finding("since", "invalid", "Value is not a position of this database: begin again without it", map[string]any{"value": since})
}

// isAfter reports whether a sequence is behind the last one of its database, as after a restore of an older backup. Those
// of a CouchDB cannot be compared: only it knows their order.
func isAfter(seq, last string) bool {
	end, err := strconv.ParseUint(last, 10, 64)
	if err != nil || seq == "" {
		return false
	}
	at, err := strconv.ParseUint(seq, 10, 64)
	return err != nil || at > end
}
