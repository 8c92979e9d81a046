package store

import (
	"context"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Installer installs design documents, as a Store does.
type Installer interface {
	Install(ctx context.Context, db string, design document.Document) error
}

// DatabaseInstaller installs databases with their design documents, as a Store does.
type DatabaseInstaller interface {
	Installer
	CreateDatabase(ctx context.Context, db string) error
}

// InstallDatabase makes sure that a database and the design document in a file exist.
func InstallDatabase(ctx context.Context, s DatabaseInstaller, db string, files fs.FS, name string) error {
	if err := s.CreateDatabase(ctx, db); err != nil {
		return err
	}
	return InstallFile(ctx, s, db, files, name)
}

// InstallFile installs the design document in a file, see Design.
func InstallFile(ctx context.Context, s Installer, db string, files fs.FS, name string) error {
	design, err := Design(files, name)
	if err != nil {
		return err
	}
	return s.Install(ctx, db, design)
}

// Design reads a design document from a file as Kazoo writes them: a function may be a list of lines, which are
// joined with nothing between them (kz_datamgr does the same).
func Design(files fs.FS, name string) (document.Document, error) {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	doc, err := document.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("design document %s: %w", name, err)
	}
	if !strings.HasPrefix(doc.ID(), "_design/") {
		return nil, fmt.Errorf("design document %s: its _id is %q", name, doc.ID())
	}
	views, _ := doc["views"].(map[string]any)
	for _, view := range views {
		functions, _ := view.(map[string]any)
		for name, body := range functions {
			functions[name] = joinLines(body)
		}
	}
	return doc, nil
}

func joinLines(body any) any {
	lines, ok := body.([]any)
	if !ok {
		return body
	}
	var b strings.Builder
	for _, line := range lines {
		text, _ := line.(string)
		b.WriteString(text)
	}
	return b.String()
}

// InstallIfMissing writes a design document of Kazoo's unless the database has one of that name: Kazoo compares
// and rewrites its own byte by byte, and two owners would rebuild the index in turns.
func (s *Store) InstallIfMissing(ctx context.Context, db string, design document.Document) error {
	_, err := s.Get(ctx, db, design.ID())
	if !fault.Is(err, fault.BadIdentifier) {
		return err
	}
	_, err = s.Put(ctx, db, design)
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// Install writes a design document of our own, if it differs from the one that is there: a rewrite costs a
// CouchDB the whole index.
func (s *Store) Install(ctx context.Context, db string, design document.Document) error {
	_, err := s.Update(ctx, db, design.ID(), func(doc document.Document) error {
		changed := false
		for _, member := range []string{"views", "language"} {
			switch value, wanted := design[member]; {
			case reflect.DeepEqual(doc[member], value):
				continue
			case wanted:
				doc[member] = value
			default:
				delete(doc, member)
			}
			changed = true
		}
		if !changed {
			return ErrUnchanged
		}
		return nil
	})
	return err
}
