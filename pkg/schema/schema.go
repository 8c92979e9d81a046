// Package schema checks what clients send against JSON Schemas (draft 4).
//
// A failure is answered as one *fault.Error that names every offending field, in the words, codes and paths
// Crossbar uses, because its clients show them in their forms. The package knows which schemas exist only from
// the files it is given, and nothing of the resources they describe. It is the one place that knows
// gojsonschema: what that library reports, and where it has to be told better.
package schema

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
)

// Set is a collection of compiled schemas. It is safe for concurrent use.
type Set struct {
	compiled map[string]*gojsonschema.Schema
	raw      map[string][]byte
}

// Load compiles every NAME.json of fsys under the id NAME. A schema refers to another by its id.
func Load(fsys fs.FS) (*Set, error) {
	registerFormats()
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return nil, err
	}
	set := &Set{compiled: map[string]*gojsonschema.Schema{}, raw: map[string][]byte{}}
	for _, name := range names {
		if set.raw[strings.TrimSuffix(name, path.Ext(name))], err = fs.ReadFile(fsys, name); err != nil {
			return nil, err
		}
	}
	if err := set.compile(fsys); err != nil {
		return nil, err
	}
	return set, nil
}

// compile puts all schemas into one pool first, as any of them may refer to any other.
func (s *Set) compile(fsys fs.FS) error {
	pool := gojsonschema.NewSchemaLoader()
	pool.Draft = gojsonschema.Draft4
	pool.Validate = true
	for _, id := range s.IDs() {
		text, err := document.Decode(s.raw[id])
		if err != nil {
			return fmt.Errorf("schema %s: %w", id, err)
		}
		if text.ID() != id {
			return fmt.Errorf("schema %s: its _id is %q", id, text.ID())
		}
		if err := pool.AddSchema(location(id), gojsonschema.NewRawLoader(map[string]any(text))); err != nil {
			return fmt.Errorf("schema %s: %w", id, err)
		}
	}
	for _, id := range s.IDs() {
		// The file system is where the library looks for an id it does not know: there is none, so it fails.
		compiled, err := pool.Compile(gojsonschema.NewReferenceLoaderFileSystem(location(id), http.FS(fsys)))
		if err != nil {
			return fmt.Errorf("schema %s: %w", id, err)
		}
		s.compiled[id] = compiled
	}
	return nil
}

// location is the URL a schema is known by in the pool; a $ref with nothing but an id resolves against it.
func location(id string) string { return "file:///" + id }

// IDs answers the ids of all schemas, sorted.
func (s *Set) IDs() []string { return slices.Sorted(maps.Keys(s.raw)) }

// Raw answers the text of a schema, or false where there is none of that id.
func (s *Set) Raw(id string) ([]byte, bool) {
	raw, ok := s.raw[id]
	return raw, ok
}

// Validate checks value, which is a document or any other value pkg/document decoded, against a schema. The
// error is nil, or of kind fault.Invalid with everything that is wrong in its fault.Fields. An id that is not in
// the set is a mistake of the caller.
func (s *Set) Validate(id string, value any) error {
	if doc, ok := value.(document.Document); ok {
		value = map[string]any(doc)
	}
	errors, err := s.examine(id, value)
	if err != nil {
		return err
	}
	return findings(value, errors).Err()
}

// examine answers what the library has to say of a value.
func (s *Set) examine(id string, value any) ([]gojsonschema.ResultError, error) {
	schema, ok := s.compiled[id]
	if !ok {
		return nil, fmt.Errorf("no schema %q", id)
	}
	if err := checkSize(value); err != nil {
		return nil, err
	}
	result, err := schema.Validate(gojsonschema.NewRawLoader(value))
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", id, err)
	}
	return result.Errors(), nil
}
