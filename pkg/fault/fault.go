// Package fault is the vocabulary of failure that every package of junctor speaks.
//
// A rule or the store returns *Error with a Kind; only pkg/crossbar knows which HTTP status and which Crossbar
// message a Kind becomes. The package exists so that a failure keeps its meaning on the way up, however often
// it is wrapped with %w, and so that a failure that was not classified is an internal one whose text stays in the log.
// It knows neither HTTP nor CouchDB and imports only the standard library.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Kind says what went wrong, in terms a caller can act on.
type Kind int

// The kinds of failure. The zero Kind is Internal, so that a forgotten classification never leaks its text.
const (
	Internal             Kind = iota // a defect of ours, or something that was not foreseen
	Invalid                          // the request's content breaks a rule; Data holds a Fields
	BadIdentifier                    // the named document does not exist; Data says which
	NotFound                         // the path names no resource
	MethodNotAllowed                 // the resource exists, the method is not one of its
	Unauthenticated                  // no token, or one that proves nothing
	TokenRejected                    // a token that was once good: expired, or its account is gone
	Forbidden                        // a good token without the right to do this
	Conflict                         // another writer was first
	Gone                             // an interface that is no longer served
	PaymentRequired                  // a charge has to be accepted first
	PreconditionFailed               // If-Match named another revision
	NotAcceptable                    // no representation the client would take
	UnsupportedMedia                 // a body in a format that is not read here
	TooLong                          // a request line longer than is read here
	TooManyRequests                  // the caller has to slow down
	Busy                             // this process is at its limit; the same request may succeed shortly
	DatastoreMissing                 // the database does not exist
	DatastoreMissingView             // the view does not exist
	DatastoreUnreachable             // the store cannot be reached or does not respond in time
	DatastorePartial                 // not all nodes of the store have confirmed a write; it may have been made
	DatastoreFault                   // the store responded with something unexpected
	NotImplemented                   // deliberately not supported
	ClusterUnreachable               // another cluster can't be reached, or does not respond in time, or not as Kazoo does
	BillingIssue                     // billing refuses the account, whatever charges are accepted
	SchemaUnusable                   // the schema to check by does not exist, or is none that can be applied
)

var kindNames = [...]string{
	"internal", "invalid", "bad identifier", "not found", "method not allowed", "unauthenticated",
	"token rejected", "forbidden", "conflict", "gone", "payment required", "precondition failed",
	"not acceptable", "unsupported media", "too long", "too many requests", "busy", "datastore missing",
	"datastore missing view", "datastore unreachable", "datastore partial", "datastore fault", "not implemented",
	"cluster unreachable", "billing issue", "schema unusable",
}

// String names the kind for logs and metrics.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// Error is a classified failure.
type Error struct {
	// Kind is what callers decide by.
	Kind Kind
	// Message is safe to show to the client; empty leaves the wording to pkg/crossbar. A Message on an Internal
	// error is for the log only.
	Message string
	// Data goes to the client as the response's data: a Fields for Invalid, otherwise anything JSON takes. Nil
	// leaves it to pkg/crossbar.
	Data any
	// Err is the cause, for logs and errors.Is; it is never shown to the client.
	Err error
}

// New returns an error of a kind whose message may be shown to the client.
func New(kind Kind, message string) *Error { return &Error{Kind: kind, Message: message} }

// Wrap classifies err, which stays out of the client's sight. A nil err gives a nil error.
func Wrap(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// Unknown returns a BadIdentifier error about an id, in Crossbar's words. err is the cause and may be nil.
func Unknown(id string, err error) error {
	return &Error{Kind: BadIdentifier, Data: map[string]any{"cause": id, "message": "bad identifier"}, Err: err}
}

// Error is the text for the log.
func (e *Error) Error() string {
	text := e.Kind.String()
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, and Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is classified as kind. A nil error is of no kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Fields is what was wrong with which field: path > code > detail. The detail holds "message" and, by code,
// "value", "target", "cause" or "format" (Crossbar: kz_json_schema error_to_jobj). Paths are joined with ".",
// list indexes count from 0.
type Fields map[string]map[string]any

// maxEcho is about how many bytes of a value a finding repeats.
const maxEcho = 4 << 10

// Add records one finding. A second finding of another code on the same path is kept beside the first. A "value" or
// "cause" of more than a few KiB is left out, and a longer path is cut: the client knows them.
func (f Fields) Add(path, code, message string, more map[string]any) {
	detail := map[string]any{"message": message}
	maps.Copy(detail, more)
	for _, key := range []string{"value", "cause"} {
		if value, ok := detail[key]; ok && room(reflect.ValueOf(value), maxEcho) < 0 {
			delete(detail, key)
		}
	}
	if len(path) > maxEcho {
		path = strings.ToValidUTF8(path[:maxEcho], "")
	}
	if f[path] == nil {
		f[path] = map[string]any{}
	}
	f[path][code] = detail
}

// Codes returns the codes of all findings, in order and each once.
func (f Fields) Codes() []string {
	codes := map[string]bool{}
	for _, findings := range f {
		for code := range findings {
			codes[code] = true
		}
	}
	return slices.Sorted(maps.Keys(codes))
}

// room returns what is left of a number of bytes after a value, which is negative if it did not suffice.
func room(value reflect.Value, bytes int) int {
	bytes -= 8
	switch value.Kind() {
	case reflect.String:
		bytes -= value.Len()
	case reflect.Interface:
		bytes = room(value.Elem(), bytes)
	case reflect.Map:
		for entries := value.MapRange(); bytes >= 0 && entries.Next(); {
			bytes = room(entries.Value(), room(entries.Key(), bytes))
		}
	case reflect.Slice:
		for i := 0; bytes >= 0 && i < value.Len(); i++ {
			bytes = room(value.Index(i), bytes)
		}
	}
	return bytes
}

// Finding returns the Invalid error of a single finding, as Fields.Add records it.
func Finding(path, code, message string, more map[string]any) error {
	fields := Fields{}
	fields.Add(path, code, message, more)
	return fields.Err()
}

// Err returns nil if nothing was found, else one Invalid error for all findings.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Data: f}
}
