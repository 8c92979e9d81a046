package embedded

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"junctor/pkg/document"
)

// The first byte of an encoded value ranks its type as CouchDB's view collation does. Zero ends a string, an array
// or an object, so that the shorter of two comes first; no tag is zero.
const (
	tagEnd byte = iota
	tagNull
	tagFalse
	tagTrue
	tagNumber
	tagString
	tagArray
	tagObject
)

// appendKey appends the sort key of a decoded JSON value: what appendKeyRange appends, then the value's JSON text, so
// that keys that collate equal but differ ("a" and "a\u0000") are distinct and in a fixed order. JSON text has no zero
// byte; one ends it. The encoding delimits itself: a document id may follow.
func appendKey(dst []byte, key any) []byte {
	return append(appendText(appendKeyRange(dst, key), key), 0)
}

// appendKeyRange appends the part of appendKey that determines the order. Every key that collates equal has it as a
// prefix; keys that collate greater sort after all of those, and lesser ones before.
//
// Numbers compare as float64, as they do in the JavaScript that emitted them. It panics on a type that encoding/json
// does not decode to: that is a bug of the caller, which must not reach a stored index.
func appendKeyRange(dst []byte, key any) []byte {
	switch key := key.(type) {
	case nil:
		return append(dst, tagNull)
	case bool:
		if key {
			return append(dst, tagTrue)
		}
		return append(dst, tagFalse)
	case float64:
		return appendNumber(dst, key)
	case json.Number:
		number, _ := key.Float64() // beyond float64 it is an infinity, whose place is the right one
		return appendNumber(dst, number)
	case string:
		return appendString(dst, key)
	case []any:
		return appendArray(dst, key)
	case map[string]any:
		return appendObject(dst, key)
	}
	panic(fmt.Sprintf("embedded: a view key of Go type %T", key))
}

// appendNumber appends the bits of an IEEE number, flipped so that they sort as the number does.
func appendNumber(dst []byte, number float64) []byte {
	if number == 0 {
		number = 0 // -0 equals 0
	}
	bits := math.Float64bits(number)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(append(dst, tagNumber), bits)
}

func appendArray(dst []byte, array []any) []byte {
	dst = append(dst, tagArray)
	for _, element := range array {
		dst = appendKeyRange(dst, element)
	}
	return append(dst, tagEnd)
}

// appendObject appends an object's members in the order of their collated names. CouchDB takes the order they
// were written in, which a decoded object has lost; kivik's collate package does as is done here.
func appendObject(dst []byte, object map[string]any) []byte {
	type member struct {
		name    string
		collate []byte
	}
	members := make([]member, 0, len(object))
	for name := range object {
		members = append(members, member{name, appendString(nil, name)})
	}
	slices.SortFunc(members, func(a, b member) int {
		if order := bytes.Compare(a.collate, b.collate); order != 0 {
			return order
		}
		return bytes.Compare([]byte(a.name), []byte(b.name))
	})
	dst = append(dst, tagObject)
	for _, m := range members {
		dst = append(dst, m.collate...)
		dst = appendKeyRange(dst, object[m.name])
	}
	return append(dst, tagEnd)
}

// appendString appends a string's Unicode collation key for the root locale, which is its weights: of the first
// level, never zero, in two bytes, or in three if the first has its high bit set; two zero bytes; of the second,
// in two bytes; two zero bytes; of the third, in one byte, never zero. So one zero byte ends it unmistakably, and
// what the string itself holds, a NUL even, is in none of them.
func appendString(dst []byte, s string) []byte {
	c := collators.Get().(*collator)
	defer collators.Put(c)
	c.buffer.Reset()
	dst = append(dst, tagString)
	dst = append(dst, c.KeyFromString(&c.buffer, s)...)
	return append(dst, tagEnd)
}

// collator makes collation keys, one goroutine at a time.
type collator struct {
	*collate.Collator
	buffer collate.Buffer
}

var collators = sync.Pool{New: func() any { return &collator{Collator: collate.New(language.Und)} }}

// appendText appends a decoded JSON value as JSON text.
func appendText(dst []byte, key any) []byte {
	if s, ok := key.(string); ok && document.IsPlain(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	text, err := json.Marshal(key)
	if err != nil {
		panic(fmt.Sprintf("embedded: a view key that is not JSON: %v", err))
	}
	return append(dst, text...)
}
