package api

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

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipaddr"
)

// request is one request of the API on its way to a handler. Its parts are filled in from top to bottom.
type request struct {
	*http.Request
	log    *zerolog.Logger
	id     string     // X-Request-ID
	client netip.Addr // who sent it, see clientOf
	cors   bool       // a page of another origin asks

	segments []string          // of the path, decoded, without the version
	resource *resource         // what they name; nowhere if there is none
	vars     map[string]string // what the path says where the resource leaves it open
	query    url.Values        // the first value of a name counts
	token    auth.Credentials

	unread   bool // there is more of the body than was read
	holds    []*hold
	response *hold // one of them; nil while the response is short
	slot     chan struct{}
	body     body
	indent   bool   // the response is indented for people to read
	verb     string // the method, or what the request tunnels

	cluster  string         // that a request about routing is about
	identity *auth.Identity // who asks; nil is unknown
	seated   bool
	allow    []string         // the methods of the resource; nil while it is not known which one that is
	account  *account.Account // the one in the path
}

// newRequest returns a request of which nothing is read yet.
func (s *Server) newRequest(hr *http.Request) *request {
	r := &request{
		Request: hr, id: hr.Header.Get("X-Request-Id"), client: s.clientOf(hr), cors: isCORS(hr.Header), resource: nowhere,
		unread: hr.Body != http.NoBody, verb: hr.Method,
	}
	if hr.Method != http.MethodGet {
		r.body.data = map[string]any{}
	}
	if !idShape.MatchString(r.id) {
		var random [16]byte
		_, _ = rand.Read(random[:])
		r.id = hex.EncodeToString(random[:])
	}
	log := s.Log.With().Str("request_id", r.id).Stringer("client", r.client).Logger()
	r.log = &log
	return r
}

// idShape is what clients may name their requests: fit for a header and a log line.
var idShape = regexp.MustCompile(`^[!-~]{1,128}$`)

// maxRequestLine is how long path and query may be together (cowboy: max_request_line_length).
const maxRequestLine = 8000

// readHead reads the request line and the headers.
func (s *Server) readHead(r *request) error {
	if len(r.RequestURI) > maxRequestLine {
		return fault.New(fault.TooLong, "")
	}
	path := strings.TrimRight(r.URL.EscapedPath(), "/") // slashes at the end never matter
	segments, err := split(path)
	if err != nil {
		return badRequestLine(err)
	}
	if segments[0] != usualVersion {
		if err := checkVersion(segments[0]); err != nil {
			return err
		}
		path = "" // the version may be escaped
	}
	r.segments = segments[1:]
	r.resource, r.vars = s.routes.find(strings.TrimPrefix(path, "/"+usualVersion), r.segments)
	if r.URL.RawQuery != "" {
		if r.query, err = parseQuery(r.URL.RawQuery); err != nil {
			return badRequestLine(err)
		}
	}
	r.token = s.credentials(r)
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

// version is the first segment of every path. All but 1 are served as 2.
var version = regexp.MustCompile(`^v([0-9]{1,9})$`)

const usualVersion = "v2"

func checkVersion(segment string) error {
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
func (s *Server) decode(r *request, raw []byte) (err error) {
	if len(raw) > unverifiedBody {
		s.decoding.Lock()
		defer s.decoding.Unlock()
	}
	if r.body, err = decodeBody(r.Header.Get("Content-Type"), raw); err != nil {
		r.body = body{data: map[string]any{}}
		return err
	}
	if len(raw) > 0 {
		r.token = s.credentials(r)
	}
	return nil
}

// value returns a setting of the request from where Crossbar looks for it (cb_context:req_value): data, the query and the
// envelope. It is nil if none of them has it. A name without "=" in the query is true (cowboy_req:parse_qs).
func (r *request) value(name string) any {
	data, _ := r.body.data.(map[string]any)
	if value, found := data[name]; found {
		return value
	}
	if !r.query.Has(name) {
		return r.body.envelope[name]
	}
	text := r.query.Get(name)
	if text == "" && slices.Contains(strings.Split(r.URL.RawQuery, "&"), name) {
		return true
	}
	return text
}

// text returns a setting that is a string, "" if it is not.
func (r *request) text(name string) string {
	text, _ := r.value(name).(string)
	return text
}

// says reports whether a setting is true, or the word (kz_term:is_true).
func (r *request) says(name string) bool {
	value := r.value(name)
	return value == true || value == "true"
}

// data returns the request's data as an object; a list, which only some resources take, is an empty one.
func (r *request) data() document.Document {
	object, _ := r.body.data.(map[string]any)
	return object
}

// object returns data if it is an object, which it has to be for most resources.
func (r *request) object() (document.Document, error) {
	if _, isList := r.body.data.([]any); isList {
		return nil, fault.Finding("", "type", "Value did not match type(s): object",
			map[string]any{"target": "object", "value": r.body.data})
	}
	return r.data(), nil
}

// newObject returns the data to create something of. No revision of what does not exist can be matched.
func (r *request) newObject() (document.Document, error) {
	if len(r.Header.Values("If-Match")) > 0 {
		return nil, fault.New(fault.PreconditionFailed, "")
	}
	return r.object()
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
func (r *request) acceptsJSON() bool {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if header == "" || r.value("accept") != nil {
		return true
	}
	readable := false
	for _, part := range strings.Split(header, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		readable = true
		if acceptedRanges[media] && strings.Trim(params["q"], "0.") != "" || acceptedRanges[media] && params["q"] == "" {
			return true
		}
	}
	return !readable
}

// clientOf returns the address a request came from: the peer, or the client that a trusted proxy names. The last entry of
// X-Forwarded-For that is not a trusted proxy counts; those before it could be forged.
func (s *Server) clientOf(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	client := peer.Addr().Unmap()
	forwarded := r.Header.Values("X-Forwarded-For")
	if len(forwarded) == 0 {
		return client
	}
	if !s.trusts(client) {
		s.warnOfProxy(client)
		return client
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(client); i-- {
		if strings.TrimSpace(hops[i]) == "" {
			continue
		}
		hop, err := parseHop(hops[i])
		if err != nil {
			break
		}
		client = hop
	}
	return client
}

// parseHop reads an entry of X-Forwarded-For. Besides plain addresses there are those with a port (Azure, IIS), in
// brackets, and in quotes (as in the header Forwarded).
func parseHop(text string) (netip.Addr, error) {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().WithZone("").Unmap(), nil
	}
	address, err := netip.ParseAddr(ipaddr.Unbracket(text))
	return address.WithZone("").Unmap(), err
}

// warnOfProxy logs once that a peer may be a proxy that should be trusted. A client can send the header as well, so
// more than one line would let it fill the log.
func (s *Server) warnOfProxy(peer netip.Addr) {
	s.proxyWarning.Do(func() {
		s.Log.Warn().Stringer("peer", peer).Msg("X-Forwarded-For is ignored, since it comes from an address that is not " +
			"in --trusted-proxies; if that is your proxy, add it, or the rate limit takes all its clients for one")
	})
}

func (s *Server) trusts(client netip.Addr) bool {
	for _, prefix := range s.TrustedProxies {
		if prefix.Contains(client) {
			return true
		}
	}
	return false
}
