package embedded

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"

	"github.com/go-kivik/kivik/v4/driver"
)

// Put writes a document.
func (d *database) Put(ctx context.Context, id string, doc any, options driver.Options) (string, error) {
	s, err := readSubmission(doc)
	if err != nil {
		return "", err
	}
	return d.submit(ctx, id, s, options)
}

// CreateDoc writes a document under the id it carries, or under a new one.
func (d *database) CreateDoc(ctx context.Context, doc any, options driver.Options) (id, rev string, err error) {
	s, err := readSubmission(doc)
	if err != nil {
		return "", "", err
	}
	if id = s.id; id == "" {
		id = newID()
	}
	rev, err = d.submit(ctx, id, s, options)
	return id, rev, err
}

func (d *database) submit(ctx context.Context, id string, s *submission, options driver.Options) (string, error) {
	var rev string
	p := readParams(options)
	p.text(&rev, "rev")
	p.only("new_edits", true)
	p.ignore("batch") // answering before the write is on disk is allowed, not required
	if err := p.unsupported(); err != nil {
		return "", err
	}
	var err error
	if s.rev, err = expectRev(s.rev, rev); err != nil {
		return "", err
	}
	if isLocal(id) {
		return d.putLocal(ctx, id, s)
	}
	return d.commitOne(ctx, edit{id: id, against: s.against})
}

// Delete leaves a tombstone of a document.
func (d *database) Delete(ctx context.Context, id string, options driver.Options) (string, error) {
	var rev string
	p := readParams(options)
	p.text(&rev, "rev")
	if err := p.unsupported(); err != nil {
		return "", err
	}
	if rev == "" {
		return "", badRequest("rev required") // as kivik's couch driver, which does not ask CouchDB
	}
	rev, err := expectRev("", rev)
	if err != nil {
		return "", err
	}
	if isLocal(id) {
		return d.deleteLocal(ctx, id)
	}
	return d.commitOne(ctx, edit{id: id, against: deletion(rev)})
}

// BulkDocs writes documents, each accepted or refused for itself, a thousand in a transaction. Design documents are
// written one by one behind the others, as each has an index to build.
func (d *database) BulkDocs(ctx context.Context, docs []any, options driver.Options) ([]driver.BulkResult, error) {
	p := readParams(options)
	p.only("new_edits", true)
	if err := p.unsupported(); err != nil {
		return nil, err
	}
	edits := make([]edit, len(docs))
	for i, doc := range docs {
		s, err := readSubmission(doc)
		if err != nil {
			return nil, err
		}
		if s.rev, err = expectRev(s.rev, ""); err != nil {
			return nil, err
		}
		if s.id == "" {
			s.id = newID()
		}
		if isLocal(s.id) {
			return nil, notSupported("a _local document in a bulk write")
		}
		edits[i] = edit{id: s.id, against: s.against}
	}
	return d.commit(ctx, edits)
}

// Get reads a document. As on a compacted CouchDB no revision but the last can be read.
func (d *database) Get(ctx context.Context, id string, options driver.Options) (*driver.Document, error) {
	var rev string
	var withFiles, conflicts bool
	p := readParams(options)
	p.text(&rev, "rev")
	p.flag(&withFiles, "attachments")
	p.flag(&conflicts, "conflicts") // there never are any
	if err := p.unsupported(); err != nil {
		return nil, err
	}
	var doc *driver.Document
	err := d.read(ctx, func(c contents) error {
		r, err := c.leaf(id, rev)
		if err != nil {
			return err
		}
		if withFiles && len(r.atts) > 0 {
			doc = c.documentWithFiles(id, r)
			return nil
		}
		doc = &driver.Document{Rev: r.rev, Body: reader(r.document(id, asStub))}
		return nil
	})
	return doc, err
}

// GetRev reads the current revision of a document.
func (d *database) GetRev(ctx context.Context, id string, options driver.Options) (string, error) {
	doc, err := d.Get(ctx, id, options)
	if err != nil {
		return "", err
	}
	return doc.Rev, nil
}

// leaf finds the document, and with a revision its tombstone too.
func (c contents) leaf(id, rev string) (*record, error) {
	if isLocal(id) {
		return c.local(id)
	}
	if err := checkDocumentID(id); err != nil {
		return nil, err
	}
	r, err := c.record(id)
	switch {
	case err != nil:
		return nil, err
	case r == nil, rev != "" && rev != r.rev:
		return nil, errMissing
	case r.deleted && rev == "":
		return nil, errDeleted
	}
	return r, nil
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

func reader(b []byte) io.ReadCloser {
	return io.NopCloser(bytes.NewReader(b))
}
