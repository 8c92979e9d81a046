package transfer

import (
	"context"
	"encoding/base64"
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
	OpenAttachment(ctx context.Context, db, id, name string) (io.ReadCloser, error)
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

// pageDocuments is how many documents are in memory at a time.
const pageDocuments = 100

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
	err := store.AllPages(ctx, e.source, db, pageDocuments, func(docs []document.Document) error {
		for _, doc := range docs {
			switch id := doc.ID(); {
			case isProcessState(db, id):
			case isDesign(id):
				designs = append(designs, doc)
			default:
				if err := e.document(ctx, db, doc); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
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

// document writes a document with its attachments.
func (e *export) document(ctx context.Context, db string, doc document.Document) error {
	if doc["_conflicts"] != nil {
		e.done.Conflicts++
	}
	stubs, _ := doc["_attachments"].(map[string]any)
	for _, field := range []string{"_attachments", "_conflicts", "_rev"} {
		delete(doc, field)
	}
	detach(db, doc)
	if err := checkSize(doc.ID(), stubs); err != nil {
		return err
	}
	text, err := document.Encode(doc)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(e.lines, `{"doc":%s`, text) // an error of the writer comes again with the end of the line
	separator := `,"attachments":{`
	for _, name := range slices.Sorted(maps.Keys(stubs)) {
		if err := e.attachment(ctx, db, doc.ID(), name, separator, stubs[name]); err != nil {
			return err
		}
		separator = ","
	}
	end := "}\n"
	if len(stubs) > 0 {
		end = "}}\n"
	}
	if _, err := io.WriteString(e.lines, end); err != nil {
		return err
	}
	e.done.Documents++
	e.progress()
	return nil
}

// maxAttachments bounds the attachments of one document, in bytes: an import has them in memory together, several times. A
// CouchDB has the same bound for one attachment, unless it is configured otherwise.
const maxAttachments = 1 << 30

func checkSize(id string, stubs map[string]any) error {
	var size int64
	for _, stub := range stubs {
		size += lengthOf(stub)
	}
	if size > maxAttachments {
		return fmt.Errorf("document %s has attachments of %d bytes, and at most %d can be exported: remove them, or "+
			"copy the database with CouchDB's replication", id, size, maxAttachments)
	}
	return nil
}

// attachment writes an attachment of a document, with its content in the place of its stub.
func (e *export) attachment(ctx context.Context, db, id, name, separator string, stub any) error {
	content, err := e.source.OpenAttachment(ctx, db, id, name)
	if fault.Is(err, fault.BadIdentifier) { // it was there a moment ago
		return fmt.Errorf("document %s was changed while its attachments were read: export again", id)
	}
	if err != nil {
		return err
	}
	defer content.Close()
	fields, _ := stub.(map[string]any)
	_, _ = fmt.Fprintf(e.lines, `%s%s:{"content_type":%s,"data":"`, separator, document.AppendString(nil, name),
		document.AppendString(nil, document.Document(fields).String("content_type")))
	encoder := base64.NewEncoder(base64.StdEncoding, e.lines)
	if _, err := io.Copy(encoder, content); err != nil {
		return fmt.Errorf("attachment %s of document %s: %w", name, id, err)
	}
	e.done.Attachments++
	_ = encoder.Close()
	_, err = io.WriteString(e.lines, `"}`)
	return err
}
