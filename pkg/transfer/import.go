package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// Target is a store to import into; *store.Store is one.
type Target interface {
	CreateDatabase(ctx context.Context, db string) error
	GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error)
	GetDeleted(
		ctx context.Context, db string, ids []string,
	) (gone map[string]document.Document, there map[string]bool, err error)
	PutMany(ctx context.Context, db string, docs []document.Document) ([]store.Written, error)
	Attachment(ctx context.Context, db, id, name string) ([]byte, error)
}

// ImportOptions are the options of Import.
type ImportOptions struct {
	Overwrite bool           // documents that differ
	Refused   func(Refusal)  // is called for each document that was not imported; nil disables it
	Progress  func(Progress) // nil disables it
}

// Refusal is a document that was not imported.
type Refusal struct {
	Database string `json:"database"`
	ID       string `json:"id"`
	Reason   string `json:"reason"`
}

// Imported is what became of the documents in a file.
type Imported struct {
	Counts
	Written   int `json:"written"`
	Unchanged int `json:"unchanged"` // were there already
	Refused   int `json:"refused"`
}

// The bounds of what is written at once.
const (
	batchDocuments = 500
	batchBytes     = 4 << 20
)

// Import writes what is in a file to a store. Verify the file first: Import writes as it reads, and detects only at the
// end that a file was cut off.
func Import(ctx context.Context, r io.Reader, s Target, o ImportOptions) (Imported, error) {
	lines, _, err := newLineReader(r)
	if err != nil {
		return Imported{}, err
	}
	i := &importer{target: s, lines: lines, options: o}
	err = i.run(ctx)
	return i.done, err
}

type importer struct {
	target  Target
	lines   *lineReader
	options ImportOptions
	done    Imported
	db      string
	batch   []document.Document // of db
	size    int                 // of the batch
}

func (i *importer) run(ctx context.Context) error {
	for {
		text, err := i.lines.next()
		if err != nil {
			return err
		}
		if text == nil {
			return i.flush(ctx)
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("%w (%w)", errForeign, err)
		}
		switch {
		case l.Database != nil:
			err = i.begin(ctx, *l.Database)
		case l.Doc != nil && i.db != "":
			err = i.document(ctx, l, len(text))
		case l.Counts != nil:
		default:
			err = errForeign
		}
		if err != nil {
			return err
		}
	}
}

// begin begins a database.
func (i *importer) begin(ctx context.Context, db string) error {
	if err := i.flush(ctx); err != nil {
		return err
	}
	i.db = db
	i.done.Databases++
	i.progress()
	return i.target.CreateDatabase(ctx, db)
}

// document takes the next document, whose line has size bytes.
func (i *importer) document(ctx context.Context, l line, size int) error {
	doc, err := document.DecodeStored(l.Doc)
	if err != nil {
		return fmt.Errorf("%w (%w)", errForeign, err)
	}
	if len(l.Attachments) > 0 {
		attach(doc, l.Attachments)
	}
	i.done.Documents++
	i.done.Attachments += len(l.Attachments)
	i.batch = append(i.batch, doc)
	if i.size += size; len(i.batch) < batchDocuments && i.size < batchBytes {
		return nil
	}
	return i.flush(ctx)
}

func (i *importer) progress() {
	if i.options.Progress != nil {
		i.options.Progress(Progress{Database: i.db, Databases: i.done.Databases, Documents: i.done.Documents,
			Attachments: i.done.Attachments, Bytes: i.lines.bytes})
	}
}

// flush writes the batch.
func (i *importer) flush(ctx context.Context) error {
	batch := i.batch
	i.batch, i.size = nil, 0
	if len(batch) == 0 {
		return nil
	}
	there, err := i.there(ctx, batch)
	if err != nil {
		return err
	}
	var changed []document.Document
	for _, doc := range batch {
		stored := there[doc.ID()]
		same, err := i.same(ctx, doc, stored)
		if err != nil {
			return err
		}
		switch {
		case stored == nil:
			changed = append(changed, doc)
		case same, isOwn(doc):
			i.done.Unchanged++
		case !i.options.Overwrite:
			i.refuse(doc.ID(), differs(doc, stored))
		case stored.Bool("_deleted") && doc.Bool("_deleted"):
			i.refuse(doc.ID(), "a tombstone can't be overwritten")
		default:
			if !stored.Bool("_deleted") { // a new document continues from its tombstone by itself
				doc["_rev"] = stored.Rev()
			}
			changed = append(changed, doc)
		}
	}
	defer i.progress()
	return i.write(ctx, changed)
}

// same reports whether a document is the one that the store has.
func (i *importer) same(ctx context.Context, doc, stored document.Document) (bool, error) {
	own, _ := doc["_attachments"].(map[string]any)
	stubs, _ := stored["_attachments"].(map[string]any)
	if stored == nil || !sameDocument(doc, stored) || len(own) != len(stubs) {
		return false, nil
	}
	for name, attachment := range own {
		same, err := sameAttachment(attachment, stubs[name], func() ([]byte, error) {
			return i.target.Attachment(ctx, i.db, doc.ID(), name)
		})
		if err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// isOwn reports whether a document that the store has in another version is left alone: a server installs the version
// that it needs.
func isOwn(doc document.Document) bool { return doc.ID() == ownDesign }

func differs(doc, stored document.Document) string {
	switch {
	case doc.Bool("_deleted") == stored.Bool("_deleted"):
		return "the store has a different document"
	case doc.Bool("_deleted"):
		return "it was deleted, and the store has it"
	}
	return "the store has deleted it"
}

// there returns what the store has under the ids of documents. Tombstones count if they have a field that is
// transferred, and where the document is one itself.
func (i *importer) there(ctx context.Context, docs []document.Document) (map[string]document.Document, error) {
	ids := make([]string, len(docs))
	for n, doc := range docs {
		ids[n] = doc.ID()
	}
	there, err := i.target.GetMany(ctx, i.db, ids)
	if err != nil {
		return nil, err
	}
	for _, doc := range there {
		detach(i.db, doc)
	}
	if !hasTombstones(i.db) {
		return there, nil
	}
	gone, _, err := i.target.GetDeleted(ctx, i.db, ids)
	if err != nil {
		return nil, err
	}
	for id, tombstone := range gone {
		if tombstone[tombstoneField] != nil {
			there[id] = tombstone
		}
	}
	return there, nil
}

// write writes documents.
func (i *importer) write(ctx context.Context, docs []document.Document) error {
	if len(docs) == 0 {
		return nil
	}
	written, err := i.target.PutMany(ctx, i.db, docs)
	if store.Unacceptable(err) && len(docs) > 1 { // because of one of them
		for _, doc := range docs {
			if err := i.write(ctx, []document.Document{doc}); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		written = []store.Written{{Err: err}}
		if !store.Unacceptable(err) {
			return err
		}
	}
	for n, w := range written {
		if err := i.wrote(docs[n].ID(), w.Err); err != nil {
			return err
		}
	}
	return nil
}

// wrote counts a document as written or refused. It returns errors that are not about this document alone.
func (i *importer) wrote(id string, err error) error {
	switch {
	case err == nil:
		i.done.Written++
	case fault.Is(err, fault.Conflict):
		i.refuse(id, "the store's document was changed meanwhile: import again")
	case store.Unacceptable(err):
		i.refuse(id, reason(err))
	default:
		return fmt.Errorf("database %s, document %s: %w", i.db, id, err)
	}
	return nil
}

// reason returns why a store does not accept a document, for the operator.
func reason(err error) string {
	if fault.Is(err, fault.Invalid) {
		return "it is larger than the store takes"
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err.Error()
}

func (i *importer) refuse(id, reason string) {
	i.done.Refused++
	if i.options.Refused != nil {
		i.options.Refused(Refusal{i.db, id, reason})
	}
}
