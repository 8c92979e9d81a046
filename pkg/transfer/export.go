package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/store"
)

// Source is a store to export; *store.Store is one.
type Source interface {
	store.Lister
	Databases(ctx context.Context) ([]string, error)
	ChangesSince(ctx context.Context, db, since string, each func(store.Change) error) error
	CopyAttachment(ctx context.Context, db, id, name string, w io.Writer) error
	Position(ctx context.Context, db string) (seq, epoch string, err error)
}

// ExportOptions are the options of Export.
type ExportOptions struct {
	Version  string // of the program
	Now      time.Time
	Progress func(Progress) // nil disables it
}

// Exported is what an export has written, and what it has not.
type Exported struct {
	Counts
	// Conflicts is how many documents have losing revisions, which CouchDB stores beside the winner. Only the
	// winner is exported.
	Conflicts int `json:"conflicts"`
	// Written are the databases that were written to meanwhile. The export may lack what was written there.
	Written []string `json:"written_meanwhile,omitempty"`
}

// The bounds of what is read at once.
const (
	pageDocuments = 200
	pageBytes     = 4 << 20
)

// Export writes all databases of a store to w.
func Export(ctx context.Context, w io.Writer, s Source, o ExportOptions) (Exported, error) {
	e := &export{source: s, lines: newLineWriter(w), options: o}
	err := e.run(ctx)
	return e.done, err
}

type export struct {
	source  Source
	lines   *lineWriter
	options ExportOptions
	done    Exported
	at      string // the database under way
	total   int    // databases
}

func (e *export) run(ctx context.Context) error {
	err := e.lines.write(header{Export: version, Created: e.options.Now.UTC().Truncate(time.Second),
		Version: e.options.Version})
	if err != nil {
		return err
	}
	databases, err := e.source.Databases(ctx)
	if err != nil {
		return err
	}
	e.total = len(databases)
	before, err := e.sequences(ctx, databases)
	if err != nil {
		return err
	}
	for _, db := range databases {
		if err := e.database(ctx, db); err != nil {
			return fmt.Errorf("database %s: %w", db, err)
		}
	}
	after, err := e.sequences(ctx, databases)
	if err != nil {
		return err
	}
	for i, db := range databases {
		if db != projection.StateDatabase && before[i] != after[i] {
			e.done.Written = append(e.done.Written, db)
		}
	}
	return e.lines.end(e.done.Counts)
}

// sequences returns the update sequences of databases, as numbers: what a CouchDB adds after the number differs from
// time to time. A database that is gone has none.
func (e *export) sequences(ctx context.Context, databases []string) (all []string, err error) {
	for _, db := range databases {
		sequence, _, err := e.source.Position(ctx, db)
		if err != nil && !fault.Is(err, fault.DatastoreMissing) {
			return nil, err
		}
		number, _, _ := strings.Cut(sequence, "-")
		all = append(all, number)
	}
	return all, nil
}

func (e *export) progress() {
	if e.options.Progress != nil {
		e.options.Progress(Progress{Database: e.at, Databases: e.done.Databases, Total: e.total,
			Documents: e.done.Documents, Attachments: e.done.Attachments, Bytes: e.lines.bytes})
	}
}

// database writes a database: design documents behind all others, so that a store builds each index once.
func (e *export) database(ctx context.Context, db string) error {
	e.done.Databases++
	e.at = db
	e.progress()
	if err := e.lines.write(line{Database: &db}); err != nil {
		return err
	}
	var designs []document.Document
	for last, more := "", true; more; {
		page, next, err := e.page(ctx, db, last)
		if err != nil {
			return err
		}
		for _, doc := range page {
			switch {
			case isProcessState(db, doc.ID()):
				continue
			case isDesign(doc.ID()):
				designs = append(designs, doc)
				continue
			}
			if err := e.document(ctx, db, doc); err != nil {
				return err
			}
		}
		last, more = next, next != ""
	}
	for _, doc := range designs {
		if err := e.document(ctx, db, doc); err != nil {
			return err
		}
	}
	if !hasTombstones(db) {
		return nil
	}
	return e.source.ChangesSince(ctx, db, "", func(change store.Change) error {
		if !change.Deleted {
			return nil
		}
		doc, err := change.Doc()
		if err != nil || doc[tombstoneField] == nil {
			return err
		}
		return e.document(ctx, db, doc)
	})
}

var errPageFull = errors.New("the page is full")

// page reads the next documents behind the id last. next is the id to go on behind, empty at the end.
func (e *export) page(ctx context.Context, db, last string) (page []document.Document, next string, err error) {
	q := store.Query{IncludeDocs: true, Limit: pageDocuments}
	if last != "" {
		q.StartKey = last
	}
	rows, size := 0, 0
	err = e.source.All(ctx, db, q, func(row store.Row) error {
		rows++
		if row.ID() == last {
			return nil
		}
		doc, err := row.Doc()
		if err != nil {
			return err
		}
		page = append(page, doc)
		if size += sizeOf(doc); size > pageBytes {
			return errPageFull
		}
		return nil
	})
	full := errors.Is(err, errPageFull)
	if err != nil && !full {
		return nil, "", err
	}
	if len(page) > 0 && (full || rows == pageDocuments) {
		next = page[len(page)-1].ID()
	}
	return page, next, nil
}

// sizeOf returns about how long the text of a value is.
func sizeOf(value any) (size int) {
	const other = 8
	switch value := value.(type) {
	case document.Document:
		return sizeOf(map[string]any(value))
	case map[string]any:
		for name, member := range value {
			size += len(name) + sizeOf(member)
		}
	case []any:
		for _, element := range value {
			size += sizeOf(element)
		}
	case string:
		return len(value)
	}
	return size + other
}

// document writes a document and the content of its attachments.
func (e *export) document(ctx context.Context, db string, doc document.Document) error {
	if doc["_conflicts"] != nil {
		e.done.Conflicts++
	}
	delete(doc, "_conflicts")
	delete(doc, "_rev")
	detach(db, doc)
	attachments, err := e.readAttachments(ctx, db, doc)
	if err != nil {
		return err
	}
	if len(attachments) > 0 {
		doc["_attachments"] = describe(attachments)
	}
	text, err := document.Encode(doc)
	if err != nil {
		return err
	}
	if err := e.lines.write(line{Doc: text}); err != nil {
		return err
	}
	e.done.Documents++
	for _, a := range attachments {
		if err := e.content(ctx, db, doc.ID(), a); err != nil {
			return err
		}
		e.done.Attachments++
	}
	e.progress()
	return nil
}

// readAttachments reads what a document's attachments are. Small ones are held, and the others are read again when they
// are written.
func (e *export) readAttachments(ctx context.Context, db string, doc document.Document) (all []*attachment, err error) {
	stubs, _ := doc["_attachments"].(map[string]any)
	held := 0
	for _, name := range slices.Sorted(maps.Keys(stubs)) {
		stub, _ := stubs[name].(map[string]any)
		a := &attachment{Name: name, ContentType: document.Document(stub).String("content_type")}
		content := &contentReader{most: contentPart}
		if held < pageBytes {
			content.held = []byte{}
		}
		if err := e.read(ctx, db, doc.ID(), name, content); err != nil {
			return nil, err
		}
		a.Digest, a.Length, a.held = content.digest(), content.length, content.held
		held += len(a.held)
		all = append(all, a)
	}
	return all, nil
}

// read reads an attachment that was there a moment ago.
func (e *export) read(ctx context.Context, db, id, name string, w io.Writer) error {
	err := e.source.CopyAttachment(ctx, db, id, name, w)
	if fault.Is(err, fault.BadIdentifier) {
		return changedMeanwhile(id)
	}
	return err
}

func changedMeanwhile(id string) error {
	return fmt.Errorf("document %s was changed while its attachments were read: export again", id)
}

// content writes the content of an attachment.
func (e *export) content(ctx context.Context, db, id string, a *attachment) error {
	if a.held != nil || a.Length == 0 {
		_, err := contentLines{e}.Write(a.held)
		return err
	}
	again := &contentReader{}
	parts := bufio.NewWriterSize(contentLines{e}, contentPart)
	if err := e.read(ctx, db, id, a.Name, io.MultiWriter(again, parts)); err != nil {
		return err
	}
	if err := parts.Flush(); err != nil {
		return err
	}
	if again.digest() != a.Digest || again.length != a.Length {
		return changedMeanwhile(id)
	}
	return nil
}

// contentLines writes the content of attachments to lines of at most contentPart bytes.
type contentLines struct{ *export }

func (c contentLines) Write(content []byte) (int, error) {
	for part := range slices.Chunk(content, contentPart) {
		if err := c.lines.write(line{Content: part}); err != nil {
			return 0, err
		}
		c.progress()
	}
	return len(content), nil
}
