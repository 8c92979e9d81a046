package schema

import (
	"fmt"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
)

// bundle is the URL by which the library knows the text it gets.
const bundle = "file:///bundle"

// Compile makes the schema of an id usable. lookUp answers its text, and those of the ids it refers to, which nobody
// may alter afterwards: there is no other place that one is taken from, whatever a reference looks like. An error of
// lookUp is passed on.
func Compile(id string, lookUp func(id string) (document.Document, error)) (s *Schema, err error) {
	registerFormats()
	defer recovered(&err)
	l := &linker{lookUp: lookUp, texts: map[string]document.Document{}, known: map[place]*node{}}
	nodes, err := l.link(id)
	if err != nil {
		return nil, err
	}
	plain := make([]any, len(nodes))
	for i, n := range nodes {
		plain[i], n.plain = n.plain, nil
	}
	pool := gojsonschema.NewSchemaLoader()
	pool.AutoDetect = false
	pool.Draft = gojsonschema.Draft4
	text := map[string]any{"nodes": plain}
	if err := pool.AddSchema(bundle, gojsonschema.NewRawLoader(text)); err != nil {
		return nil, err
	}
	library, err := pool.Compile(sealed{gojsonschema.NewReferenceLoader(nodes[0].url())})
	if err != nil {
		return nil, err
	}
	return &Schema{library: library, root: nodes[0]}, nil
}

// sealed keeps the library from files and networks. It asks its loader for what is not in its pool; all that it is led
// to is there, and should it ever find something else, that ends here.
type sealed struct{ gojsonschema.JSONLoader }

// LoaderFactory answers who loads what is not in the pool.
func (s sealed) LoaderFactory() gojsonschema.JSONLoaderFactory { return s }

// New answers a loader for a reference.
func (sealed) New(source string) gojsonschema.JSONLoader {
	return sealed{gojsonschema.NewReferenceLoader(source)}
}

// LoadJSON refuses to load anything.
func (s sealed) LoadJSON() (any, error) {
	return nil, fmt.Errorf("%.100q is not loaded", s.JsonSource())
}
