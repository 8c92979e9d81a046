package api

import (
	"maps"
	"slices"
	"strings"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// listSchemas answers GET /schemas. What Kazoo's applications send each other is described there, too, and shown only
// to those who ask for it (cb_schemas).
func (s *Server) listSchemas(r *request) (reply, error) {
	ids, err := s.Catalog.IDs(r.ctx())
	if internals := r.value("internals"); internals != true && internals != "true" {
		ids = slices.DeleteFunc(ids, func(id string) bool { return strings.HasPrefix(id, "kapi.") })
	}
	return reply{data: ids}, err
}

// getSchema answers GET /schemas/{schema}.
func (s *Server) getSchema(r *request) (reply, error) {
	text, err := s.Catalog.Text(r.ctx(), r.vars["schema"])
	return reply{data: text.Public(), revision: text.Rev()}, err
}

// applySchema answers PUT /schemas/{schema}/validation with the data as it would be stored.
func (s *Server) applySchema(r *request) (reply, error) {
	if r.body.unread {
		return reply{}, fault.New(fault.UnsupportedMedia, "")
	}
	data, err := s.Catalog.Complete(r.ctx(), r.vars["schema"], settable(r.body.data))
	return reply{data: data}, err
}

// settable answers data without what no client can set.
func settable(data any) any {
	object, ok := data.(map[string]any)
	if !ok {
		return data
	}
	object = maps.Clone(object)
	maps.DeleteFunc(object, func(key string, _ any) bool { return document.IsPrivate(key) })
	return object
}

// ofAnyAccount lets everybody pass where the path says nothing of an account but its id, which need not exist.
func ofAnyAccount(_ *Server, r *request) error {
	if id := r.vars["account"]; !account.ValidID(id) {
		return badAccount("invalid account_id '" + id + "'")
	}
	return nil
}
