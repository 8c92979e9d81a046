// Package document is junctor's one model of a JSON document: what clients send, what the store contains and what
// responses carry are all a Document, a decoded JSON object.
//
// It knows what holds for every document of Kazoo: which keys are private ("_" or "pvt_" first), that the public id is
// the private _id, and how a change is merged. Unknown fields survive every round trip, and numbers keep their spelling.
// It knows neither the store nor HTTP, and nothing of what a particular document means.
package document

import (
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Document is a JSON object. Its values are nil, bool, json.Number, string, []any and map[string]any, and
// nothing else: that is what Decode makes, and what the other packages rely on.
type Document map[string]any

// ID returns _id, the id of the document in the store.
func (d Document) ID() string { return d.String("_id") }

// Rev returns _rev, the revision in the store.
func (d Document) Rev() string { return d.String("_rev") }

// String returns the string under key, and "" if there is none.
func (d Document) String(key string) string {
	s, _ := d[key].(string)
	return s
}

// Bool reports whether key holds true or "true", which are what Kazoo takes for true (kz_term:is_true).
func (d Document) Bool(key string) bool { return d[key] == true || d[key] == "true" }

// Int returns the integer under key as Kazoo reads one (kz_term:to_integer), or false where there is none that fits:
// a fraction is rounded, half away from zero, and a text may hold either.
func (d Document) Int(key string) (int64, bool) {
	text := ""
	switch value := d[key].(type) {
	case json.Number:
		text = value.String()
	case string:
		if !integerText.MatchString(value) {
			return 0, false
		}
		text = strings.TrimPrefix(value, "+")
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	fraction, err := strconv.ParseFloat(text, 64)
	if rounded := math.Round(fraction); err == nil && math.Abs(rounded) < 1<<63 {
		return int64(rounded), true
	}
	return 0, false
}

// integerText is what Erlang reads as an integer or a float.
var integerText = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?)?$`)

// Number returns n as a value of a Document.
func Number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// Strings returns the strings in the list under key. Other elements are left out.
func (d Document) Strings(key string) []string {
	list, _ := d[key].([]any)
	texts := make([]string, 0, len(list))
	for _, element := range list {
		if s, ok := element.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// IsPrivate reports whether a client may neither see nor set a top-level key (kz_doc:is_private_key).
func IsPrivate(key string) bool {
	return strings.HasPrefix(key, "_") || strings.HasPrefix(key, "pvt_")
}

// Public returns what a client may see: no private keys, and the id under "id". Nested values are shared with d.
func (d Document) Public() Document {
	public := make(Document, len(d))
	for key, value := range d {
		if !IsPrivate(key) {
			public[key] = value
		}
	}
	if id := d.ID(); id != "" {
		public["id"] = id
	}
	return public
}

// Clone returns a copy that shares no list and no object with d.
func (d Document) Clone() Document {
	if d == nil {
		return nil
	}
	return cloneObject(d)
}

func cloneObject(object map[string]any) map[string]any {
	clone := maps.Clone(object)
	for key, value := range clone {
		clone[key] = cloneValue(value)
	}
	return clone
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return cloneObject(v)
	case []any:
		clone := make([]any, len(v))
		for i, element := range v {
			clone[i] = cloneValue(element)
		}
		return clone
	default:
		return value
	}
}
