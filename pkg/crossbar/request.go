package crossbar

import (
	"crypto/rand"
	"encoding/hex"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/tracing"
)

// Request is one request of the API. Its parts are filled in from top to bottom on its way to a handler.
type Request struct {
	*http.Request
	server *Server
	span   trace.Span // nil without a tracer
	log    *zerolog.Logger
	ID     string     // X-Request-ID
	Client netip.Addr // who sent it, see clientOf
	cors   bool       // a page of another origin asks

	segments []string          // of the path, decoded, without the version
	resource *Resource         // what they name; nowhere if there is none
	Vars     map[string]string // what the path says where the resource leaves it open
	Query    url.Values        // the first value of a name counts
	Token    auth.Credentials

	unread bool      // there is more of the body than was read
	held   []holding // of budgets
	body   body
	indent bool   // the response is indented for people to read
	verb   string // the method, or what the request tunnels

	Cluster  string           // that a request about clusters names, or the token's
	Identity *auth.Identity   // who asks; nil for open resources
	allow    []string         // the methods of the resource; nil while it is not known which one that is
	Account  *account.Account // the one in the path; nil if there is none, or if the resource is open
}

// newRequest returns a request of which nothing is read yet.
func (s *Server) newRequest(hr *http.Request) *Request {
	var span trace.Span
	var traceID string
	if s.Tracer != nil || hr.Header.Get("Traceparent") != "" {
		hr, span, traceID = tracing.Begin(hr, s.Tracer)
	}
	r := &Request{
		span:    span,
		Request: hr, server: s, ID: hr.Header.Get("X-Request-Id"), Client: s.clientOf(hr), cors: isCORS(hr.Header),
		resource: nowhere, unread: hr.Body != http.NoBody, verb: hr.Method,
	}
	if hr.Method != http.MethodGet {
		r.body.data = map[string]any{}
	}
	if !idShape.MatchString(r.ID) {
		var random [16]byte
		_, _ = rand.Read(random[:])
		r.ID = hex.EncodeToString(random[:])
	}
	fields := s.Log.With().Str("request_id", r.ID).Stringer("client", r.Client)
	if traceID != "" {
		fields = fields.Str("trace_id", traceID)
	}
	log := fields.Logger()
	r.log = &log
	return r
}

// idShape is what clients may name their requests: fit for a header and a log line.
var idShape = regexp.MustCompile(`^[!-~]{1,128}$`)

// maxRequestLine is how long path and query may be together (cowboy: max_request_line_length).
const maxRequestLine = 8000

// readHead reads the request line and the headers.
func (s *Server) readHead(r *Request) error {
	if len(r.RequestURI) > maxRequestLine {
		return fault.New(fault.TooLong, "")
	}
	path := r.URL.EscapedPath()
	segments, err := split(strings.TrimRight(path, "/")) // slashes at the end never matter
	if err != nil {
		return badRequestLine(err)
	}
	target := r.Request
	if segments[0] != usualVersion || strings.HasSuffix(path, "/") || strings.Contains(path, "%") {
		target = nil
		if err := checkVersion(segments[0]); err != nil {
			return err
		}
	}
	r.segments = segments[1:]
	r.resource, r.Vars = s.routes.find(target, r.segments)
	if r.URL.RawQuery != "" {
		if r.Query, err = parseQuery(r.URL.RawQuery); err != nil {
			return badRequestLine(err)
		}
	}
	r.Token = s.credentials(r)
	return nil
}

// split cuts an escaped path into decoded segments.
func split(path string) ([]string, error) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, part := range segments {
		text, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		segments[i] = text
	}
	return segments, nil
}

// usualVersion is the first segment of most paths.
const usualVersion = "v2"

// version matches the first segment of every path. All but 1 are served as 2.
var version = regexp.MustCompile(`^v([0-9]{1,9})$`)

func checkVersion(segment string) error {
	if segment == usualVersion {
		return nil
	}
	switch v := version.FindStringSubmatch(segment); {
	case v == nil || strings.Trim(v[1], "0") == "":
		return fault.New(fault.NotFound, "")
	case strings.TrimLeft(v[1], "0") == "1":
		return &fault.Error{Kind: fault.Gone,
			Data: "API version 1 is not supported. Please upgrade your code to use version 2."}
	}
	return nil
}

// parseQuery reads a query as cowlib does: a semicolon is a character like any other.
func parseQuery(text string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
}

func badRequestLine(err error) error {
	return &fault.Error{Kind: fault.Invalid, Message: "parse_error", Err: err,
		Data: map[string]any{"message": "failed to parse the request line"}}
}

// decode decodes the body, which may hold the token as well. Large ones are decoded one after the other: each leaves
// several times its length to the garbage collector.
func (s *Server) decode(r *Request, raw []byte) (err error) {
	if len(raw) > unverifiedBody {
		s.decoding.Lock()
		defer s.decoding.Unlock()
	}
	if r.body, err = decodeBody(r.Header.Get("Content-Type"), raw); err != nil {
		r.body = body{data: map[string]any{}}
		return err
	}
	if len(raw) > 0 {
		r.Token = s.credentials(r)
	}
	return nil
}

// value returns a setting of the request from where Crossbar looks for it (cb_context:req_value): data, the query and the
// envelope. It is nil if none of them has it. A name without "=" in the query is true (cowboy_req:parse_qs).
func (r *Request) value(name string) any {
	data, _ := r.body.data.(map[string]any)
	if value, found := data[name]; found {
		return value
	}
	if !r.Query.Has(name) {
		return r.body.envelope[name]
	}
	text := r.Query.Get(name)
	if text == "" && slices.Contains(strings.Split(r.URL.RawQuery, "&"), name) {
		return true
	}
	return text
}

// Text returns a setting that is a string, "" if it is not.
func (r *Request) Text(name string) string {
	text, _ := r.value(name).(string)
	return text
}

// Is reports whether a setting is true, or the word (kz_term:is_true).
func (r *Request) Is(name string) bool {
	value := r.value(name)
	return value == true || value == "true"
}

// Flag returns a setting that is true or false, as a boolean or as the word. Anything else is fault.Invalid, for settings
// that must not be misread.
func (r *Request) Flag(name string, otherwise bool) (bool, error) {
	switch value := r.value(name); value {
	case nil:
		return otherwise, nil
	case false, "false":
		return false, nil
	case true, "true":
		return true, nil
	default:
		return false, fault.Finding(name, "invalid", name+" must be true or false", map[string]any{"value": value})
	}
}

// Payload returns the request's data as it was sent: an object, a list, or nil after DropData.
func (r *Request) Payload() any { return r.body.data }

// DropData makes a request have no data, so that nothing in it counts as a setting.
func (r *Request) DropData() { r.body.data = nil }

// HasFile reports whether there was something in the body that was not read as data.
func (r *Request) HasFile() bool { return r.body.unread }

// Data returns the request's data as an object; a list, which only some resources take, is an empty one.
func (r *Request) Data() document.Document {
	object, _ := r.body.data.(map[string]any)
	return object
}

// Object returns data if it is an object, which it has to be for most resources.
func (r *Request) Object() (document.Document, error) {
	if _, isList := r.body.data.([]any); isList {
		return nil, fault.Finding("", "type", "Value did not match type(s): object",
			map[string]any{"target": "object", "value": r.body.data})
	}
	return r.Data(), nil
}

// NewObject returns the data to create something of. No revision of what does not exist can be matched.
func (r *Request) NewObject() (document.Document, error) {
	if len(r.Header.Values("If-Match")) > 0 {
		return nil, fault.New(fault.PreconditionFailed, "")
	}
	return r.Object()
}

// acceptedRanges are the media ranges of Accept that get JSON: those that JSON matches, and those that Crossbar has other
// representations for. A response is never anything but JSON.
var acceptedRanges = map[string]bool{
	"*/*": true, "application/*": true, "application/json": true, "application/x-json": true,
	"application/base64": true, "application/x-base64": true, "application/octet-stream": true,
	"application/javascript": true, "text/csv": true, "text/comma-separated-values": true,
}

// acceptsJSON reports whether the client takes JSON. A setting "accept" overrides the header, and whatever it asks for
// gets JSON; so does a header that can't be parsed.
func (r *Request) acceptsJSON() bool {
	if len(r.Header.Values("Accept")) == 0 || r.value("accept") != nil {
		return true
	}
	accepted, readable := Accepts(r.Header, func(media string) bool { return acceptedRanges[media] })
	return accepted || !readable
}

// Accepts reports whether Accept has a media range that is wanted, with any weight but 0. readable says whether a part of
// the header can be parsed.
func Accepts(h http.Header, wanted func(media string) bool) (accepted, readable bool) {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		readable = true
		if wanted(media) && (params["q"] == "" || strings.Trim(params["q"], "0.") != "") {
			return true, true
		}
	}
	return false, readable
}
