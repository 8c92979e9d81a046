package api

import (
	"maps"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// listSchemas handles GET /schemas. Crossbar serves the schemas of its other resources (cb_schemas).
func (s *Server) listSchemas(*request) (reply, error) { return reply{data: s.Schemas.IDs()}, nil }

// getSchema handles GET /schemas/{schema}.
func (s *Server) getSchema(r *request) (reply, error) {
	text, err := s.Schemas.Text(r.vars["schema"])
	return reply{data: text.Public()}, err
}

// applySchema handles PUT /schemas/{schema}/validation. It responds with the data as it would be stored.
func (s *Server) applySchema(r *request) (reply, error) {
	if r.body.unread {
		return reply{}, fault.New(fault.UnsupportedMedia, "")
	}
	data, err := s.Schemas.Complete(r.vars["schema"], settable(r.body.data))
	return reply{data: data}, err
}

// settable returns data without the keys that no client can set.
func settable(data any) any {
	object, ok := data.(map[string]any)
	if !ok {
		return data
	}
	object = maps.Clone(object)
	maps.DeleteFunc(object, func(key string, _ any) bool { return document.IsPrivate(key) })
	return object
}
