// Package document is the one model of a JSON document that junctor has: what a client sends, what the store
// keeps and what an answer carries are all a Document, a decoded JSON object.
//
// It knows the few things that hold for every document of Kazoo: which keys are private ("_" or "pvt_" first),
// that the public id is the private _id, how a change is merged, and that times are Gregorian seconds. Fields
// nobody here has heard of survive every trip, and numbers keep the spelling they came with. It knows neither
// the store nor HTTP, and nothing of what a particular document means.
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

// ID answers _id, under which the store keeps the document.
func (d Document) ID() string { return d.String("_id") }

// Rev answers _rev, the revision the store gave.
func (d Document) Rev() string { return d.String("_rev") }

// String answers the text under key, and "" where there is none.
func (d Document) String(key string) string {
	s, _ := d[key].(string)
	return s
}

// Bool answers whether key holds true or "true": what Kazoo takes for true (kz_term:is_true), and no more.
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

// Number answers n as a value of a Document.
func Number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// Strings answers the texts in the list under key; elements that are none are left out.
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

// Public answers what a client may see: no private key, and the id under "id". Nested values are shared with d.
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

// Clone answers a copy that shares no list and no object with d.
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
