package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"junctor/pkg/document"
)

// Set is a collection of compiled schemas. It is safe for concurrent use.
type Set struct {
	schemas map[string]*Schema
	texts   map[string]document.Document
}

// Load compiles every NAME.json of fsys under the id NAME. A schema refers to another by its id.
func Load(fsys fs.FS) (*Set, error) {
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return nil, err
	}
	set := &Set{schemas: map[string]*Schema{}, texts: map[string]document.Document{}}
	for _, name := range names {
		id := strings.TrimSuffix(name, path.Ext(name))
		if set.texts[id], err = readText(fsys, name, id); err != nil {
			return nil, fmt.Errorf("schema %s: %w", id, err)
		}
	}
	for _, id := range set.IDs() {
		if set.schemas[id], err = Compile(id, set.find); err != nil {
			return nil, fmt.Errorf("schema %s: %w", id, err)
		}
	}
	return set, nil
}

func readText(fsys fs.FS, name, id string) (document.Document, error) {
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	text, err := document.Decode(raw)
	if err == nil && text.ID() != id {
		err = fmt.Errorf("its _id is %q", text.ID())
	}
	return text, err
}

// IDs answers the ids of all schemas, sorted.
func (s *Set) IDs() []string { return slices.Sorted(maps.Keys(s.texts)) }

// Text answers the text of a schema, or false where there is none of that id. Nobody may alter it.
func (s *Set) Text(id string) (document.Document, bool) {
	text, ok := s.texts[id]
	return text, ok
}

// errNoText is why a schema that is referred to can't be had.
var errNoText = errors.New("there is no such schema")

func (s *Set) find(id string) (document.Document, error) {
	if text, ok := s.texts[id]; ok {
		return text, nil
	}
	return nil, errNoText
}

// Validate checks value as Schema.Validate does, against the schema of that id. One that is not in the set is a
// mistake of the caller.
func (s *Set) Validate(id string, value any) error {
	schema, ok := s.schemas[id]
	if !ok {
		return fmt.Errorf("no schema %q", id)
	}
	return schema.Validate(value)
}

// Cast is Validate for a document that is to be stored, see Schema.Cast.
func (s *Set) Cast(id string, doc document.Document) (document.Document, error) {
	schema, ok := s.schemas[id]
	if !ok {
		return nil, fmt.Errorf("no schema %q", id)
	}
	cast, err := schema.Cast(map[string]any(doc))
	if err != nil {
		return nil, err
	}
	object, _ := cast.(map[string]any)
	return object, nil
}
