package schema

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// Set is a collection of compiled schemas. It is safe for concurrent use.
type Set struct {
	schemas map[string]*compiled
}

// Load compiles every NAME.json of fsys under the id NAME. Each has to stand alone, without references to others.
func Load(fsys fs.FS) (*Set, error) {
	registerFormats()
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return nil, err
	}
	set := &Set{schemas: map[string]*compiled{}}
	for _, name := range names {
		id := strings.TrimSuffix(name, path.Ext(name))
		if set.schemas[id], err = load(fsys, name, id); err != nil {
			return nil, fmt.Errorf("schema %s: %w", id, err)
		}
	}
	return set, nil
}

func load(fsys fs.FS, name, id string) (*compiled, error) {
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	text, err := document.Decode(raw)
	if err != nil {
		return nil, err
	}
	if text.ID() != id {
		return nil, fmt.Errorf("its _id is %q", text.ID())
	}
	loader := gojsonschema.NewSchemaLoader()
	loader.AutoDetect = false
	loader.Draft = gojsonschema.Draft4
	library, err := loader.Compile(gojsonschema.NewRawLoader(map[string]any(text)))
	if err != nil {
		return nil, err
	}
	return &compiled{library: library, text: text}, nil
}

// IDs returns the ids of all schemas, sorted.
func (s *Set) IDs() []string { return slices.Sorted(maps.Keys(s.schemas)) }

// Text returns the text of a schema, which the caller must not modify. The error is of kind fault.BadIdentifier if
// there is no schema of that id.
func (s *Set) Text(id string) (document.Document, error) {
	schema, ok := s.schemas[id]
	if !ok {
		return nil, fault.Unknown(id, nil)
	}
	return schema.text, nil
}

// Validate validates value against the schema of that id. The value is a document or any other value that pkg/document
// decoded. The error is of kind fault.Invalid with everything that is wrong in its fault.Fields.
func (s *Set) Validate(id string, value any) error {
	schema, err := s.schema(id)
	if err != nil {
		return err
	}
	return schema.validate(value)
}

// Cast validates a document that is to be stored and returns a copy, in which texts of booleans and numbers are replaced
// by what they stand for where the schema of that id wants that.
func (s *Set) Cast(id string, doc document.Document) (document.Document, error) {
	schema, err := s.schema(id)
	if err != nil {
		return nil, err
	}
	cast, err := schema.cast(map[string]any(doc))
	if err != nil {
		return nil, err
	}
	object, _ := cast.(map[string]any)
	return object, nil
}

// Complete validates a value and returns it as it would be stored: as Cast does, with the defaults of missing properties,
// as Crossbar adds them (jesse with the setter of kz_json_schema). Defaults in a choice (anyOf, oneOf) or under a pattern
// are not added.
func (s *Set) Complete(id string, value any) (any, error) {
	schema, err := s.schema(id)
	if err != nil {
		return nil, err
	}
	cast, err := schema.cast(value)
	if err == nil {
		addDefaults(schema.text, cast)
	}
	return cast, err
}

// schema returns the schema of an id. Like Crossbar, it treats an unknown id as a failure of the server
// (fault.SchemaUnusable).
func (s *Set) schema(id string) (*compiled, error) {
	schema, ok := s.schemas[id]
	if !ok {
		message := "schema " + id + " not found."
		return nil, &fault.Error{Kind: fault.SchemaUnusable, Message: message, Data: map[string]any{"message": message}}
	}
	return schema, nil
}
