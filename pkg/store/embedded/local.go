package embedded

import (
	"context"
	"strconv"
)

// putLocal writes a _local document: no history, no conflict, no part in views and changes.
func (d *database) putLocal(ctx context.Context, id string, s *submission) (string, error) {
	if err := checkDocumentID(id); err != nil {
		return "", err
	}
	if len(s.attachments) > 0 {
		return "", notSupported("an attachment of a _local document")
	}
	if s.deleted {
		return d.deleteLocal(ctx, id)
	}
	before := &record{rev: s.rev}
	r := &record{rev: "0-" + strconv.FormatInt(before.localCount()+1, 10), body: s.body}
	err := d.update(ctx, func(c contents) error {
		return c.part(localBucket).Put([]byte(id), r.encode())
	})
	if err != nil {
		return "", err
	}
	return r.rev, nil
}

// localCount reads the number behind the dash of a _local document's revision.
func (r *record) localCount() int64 {
	if len(r.rev) < 3 {
		return 0
	}
	n, _ := strconv.ParseInt(r.rev[2:], 10, 64) // another document's revision counts as none
	return n
}

func (d *database) deleteLocal(ctx context.Context, id string) (string, error) {
	err := d.update(ctx, func(c contents) error {
		if _, err := c.local(id); err != nil {
			return err
		}
		return c.part(localBucket).Delete([]byte(id))
	})
	if err != nil {
		return "", err
	}
	return "0-0", nil
}

func (c contents) local(id string) (*record, error) {
	raw := c.part(localBucket).Get([]byte(id))
	if raw == nil {
		return nil, errMissing
	}
	return decodeRecord(raw)
}
