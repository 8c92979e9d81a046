package schema

// complete casts a value and adds the defaults of properties that are missing, as Crossbar does when it stores a document
// (jesse with the setter of kz_json_schema). Defaults in a choice (anyOf, oneOf) or under a pattern are not added.
func (s *compiled) complete(value any) (any, error) {
	cast, err := s.cast(value)
	if err == nil {
		addDefaults(s.text, cast)
	}
	return cast, err
}

// addDefaults adds the defaults of the properties that schema names to value, if that is an object.
func addDefaults(schema map[string]any, value any) {
	object, ok := value.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	if !ok {
		return
	}
	for name, property := range properties {
		property, _ := property.(map[string]any)
		if _, there := object[name]; there {
			addDefaults(property, object[name])
		} else if value, ok := property["default"]; ok {
			object[name] = clone(value)
		}
	}
}
