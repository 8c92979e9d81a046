// Package schema checks what clients send against JSON Schemas (draft 4).
//
// A failure is answered as one *fault.Error that names every offending field, in the words, codes and paths
// Crossbar uses, because its clients show them in their forms. A Set are the schemas in files, by which the
// product's own resources judge what they are sent. A Catalog are those of a cluster, which may have been written by
// anybody: nothing they say makes the package fetch anything, or work without an end. The package knows nothing of the
// resources that schemas describe. It is the one place that knows gojsonschema: what that library reports, and where
// it has to be told better.
package schema

import (
	"fmt"

	"github.com/xeipuuv/gojsonschema"

	"junctor/pkg/document"
)

// Schema is one compiled schema, together with those it refers to. It is safe for concurrent use.
type Schema struct {
	library *gojsonschema.Schema
	root    *node
}

// Validate checks value, which is a document or any other value pkg/document decoded. The error is nil, or of kind
// fault.Invalid with everything that is wrong in its fault.Fields.
func (s *Schema) Validate(value any) error {
	if doc, ok := value.(document.Document); ok {
		value = map[string]any(doc)
	}
	errors, err := s.examine(value)
	if err != nil {
		return err
	}
	return findings(value, errors).Err()
}

// examine answers what the library has to say of a value.
func (s *Schema) examine(value any) (errors []gojsonschema.ResultError, err error) {
	if err := checkSize(value); err != nil {
		return nil, err
	}
	if err := s.checkSteps(value); err != nil {
		return nil, err
	}
	defer recovered(&err)
	result, err := s.library.Validate(gojsonschema.NewRawLoader(value))
	if err != nil {
		return nil, err
	}
	return result.Errors(), nil
}

// recovered makes an error of a panic in the library, which takes some things in a schema for granted.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("gojsonschema: %v", p)
	}
}
