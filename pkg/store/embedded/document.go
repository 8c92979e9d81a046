package embedded

import (
	"bytes"
	"context"
	"io"

	"github.com/go-kivik/kivik/v4/driver"
)

// Put writes a document.
func (d *database) Put(ctx context.Context, id string, doc any, options driver.Options) (string, error) {
	if err := readOptions(options, &struct{}{}); err != nil {
		return "", err
	}
	in, err := readIncoming(doc)
	if err != nil {
		return "", err
	}
	in.id = id
	return d.commitOne(ctx, in)
}

// Delete leaves a tombstone of a document.
func (d *database) Delete(ctx context.Context, id string, options driver.Options) (string, error) {
	var o revisionOption
	if err := readOptions(options, &o); err != nil {
		return "", err
	}
	return d.commitOne(ctx, &incoming{id: id, rev: o.Rev, deleted: true, body: []byte("{}")})
}

// BulkDocs writes documents, each accepted or refused on its own, a thousand in a transaction. Design documents are
// written one by one after the others, as each has an index to build.
func (d *database) BulkDocs(ctx context.Context, docs []any, options driver.Options) ([]driver.BulkResult, error) {
	if err := readOptions(options, &struct{}{}); err != nil {
		return nil, err
	}
	all := make([]*incoming, len(docs))
	for i, doc := range docs {
		var err error
		if all[i], err = readIncoming(doc); err != nil {
			return nil, err
		}
	}
	return d.commit(ctx, all)
}

// Get reads a document. As on a compacted CouchDB no revision but the last can be read.
func (d *database) Get(ctx context.Context, id string, options driver.Options) (*driver.Document, error) {
	var o struct {
		revisionOption
		conflictsOption
	}
	if err := readOptions(options, &o); err != nil {
		return nil, err
	}
	var doc *driver.Document
	err := d.read(ctx, func(c contents) error {
		r, err := c.leaf(id, o.Rev)
		if err != nil {
			return err
		}
		doc = &driver.Document{Rev: r.rev, Body: reader(r.document(id))}
		return nil
	})
	return doc, err
}

// leaf returns the document, and with a revision its tombstone too.
func (c contents) leaf(id, rev string) (*record, error) {
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

func reader(b []byte) io.ReadCloser {
	return io.NopCloser(bytes.NewReader(b))
}
