package api

import (
	"maps"

	"junctor/pkg/crossbar"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// listSchemas handles GET /schemas. Crossbar serves the schemas of its other resources (cb_schemas).
func (s *Server) listSchemas(*crossbar.Request) (crossbar.Reply, error) {
	return crossbar.Reply{Data: s.Schemas.IDs()}, nil
}

// getSchema handles GET /schemas/{schema}.
func (s *Server) getSchema(r *crossbar.Request) (crossbar.Reply, error) {
	text, err := s.Schemas.Text(r.Vars["schema"])
	return crossbar.Reply{Data: text.Public()}, err
}

// applySchema handles PUT /schemas/{schema}/validation. It responds with the data as it would be stored.
func (s *Server) applySchema(r *crossbar.Request) (crossbar.Reply, error) {
	if r.HasFile() {
		return crossbar.Reply{}, fault.New(fault.UnsupportedMedia, "")
	}
	data, err := s.Schemas.Complete(r.Vars["schema"], settable(r.Payload()))
	return crossbar.Reply{Data: data}, err
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
