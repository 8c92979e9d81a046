package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi-validator/cache"
	"github.com/pb33f/libopenapi-validator/config"
	invalid "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/parameters"
	"github.com/pb33f/libopenapi-validator/requests"
	"github.com/pb33f/libopenapi-validator/responses"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"gopkg.in/yaml.v3"

	"junctor/pkg/api"
	"junctor/pkg/console"
)

// contract is openapi.yaml, against which every exchange of every suite is validated.
type contract struct {
	*v3.Document
	closed     *v3.Document // see closedContract
	responses  responses.ResponseBodyValidator
	headers    []config.Option // of responses; with a cache, since their schemas are compiled for each response without
	bodies     requests.RequestBodyValidator
	parameters parameters.ParameterValidator

	mu        sync.Mutex         // also for the validators: libopenapi is not safe for concurrent use
	validated map[api.Format]int // exchanges of operations that have both formats, by format
	all, rest int                // exchanges; those that no operation is for
	seen      map[string]bool    // operations that have succeeded, by id
}

// theContract returns the contract that all tests share.
var theContract = sync.OnceValue(func() *contract {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		panic(err)
	}
	closed, err := closedContract(text)
	if err != nil {
		panic(err)
	}
	c := &contract{Document: parseContract(text), closed: parseContract(closed), validated: map[api.Format]int{}, seen: map[string]bool{}}
	c.responses = responses.NewResponseBodyValidator(c.closed, config.WithFormatAssertions())
	c.bodies = requests.NewRequestBodyValidator(c.Document, config.WithFormatAssertions())
	c.parameters = parameters.NewParameterValidator(c.Document)
	c.headers = []config.Option{
		config.WithStrictMode(), config.WithStrictIgnoredHeadersExtra(ofEveryResponse...), config.WithSchemaCache(cache.NewDefaultCache()),
	}
	return c
})

func parseContract(text []byte) *v3.Document {
	parsed, err := libopenapi.NewDocument(text)
	if err != nil {
		panic(err)
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		panic(err)
	}
	return &model.Model
}

// closedContract returns openapi.yaml, changed so that no object of a response has a member that is not declared.
// Clients should ignore such members, so that there can be more of them some day; the tests must not.
func closedContract(text []byte) ([]byte, error) {
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	components, _ := tree["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for _, schema := range schemas {
		closeBelow(schema)
	}
	named, _ := components["responses"].(map[string]any)
	for _, response := range named {
		object, _ := response.(map[string]any)
		content, _ := object["content"].(map[string]any)
		for _, media := range content {
			object, _ := media.(map[string]any)
			closeSchema(object["schema"])
		}
	}
	return yaml.Marshal(tree)
}

// closeSchema allows no members but those that the schema declares, itself or by what it refers to. An empty schema
// stays open.
func closeSchema(schema any) {
	object, ok := schema.(map[string]any)
	if !ok || len(object) == 0 {
		return
	}
	object["unevaluatedProperties"] = false
	closeBelow(schema)
}

// closeBelow closes the schemas of members, items and alternatives. Those of allOf declare only a part of an object.
func closeBelow(schema any) {
	object, ok := schema.(map[string]any)
	if !ok {
		return
	}
	for _, key := range []string{"items", "additionalProperties"} {
		closeSchema(object[key])
	}
	members, _ := object["properties"].(map[string]any)
	for _, member := range members {
		closeSchema(member)
	}
	for key, further := range map[string]func(any){"allOf": closeBelow, "anyOf": closeSchema, "oneOf": closeSchema} {
		parts, _ := object[key].([]any)
		for _, part := range parts {
			further(part)
		}
	}
}

// ofEveryResponse are headers that the contract does not repeat for each response.
var ofEveryResponse = []string{
	"Content-Language", "Vary", "Cache-Control", "Expires", "Connection", "Access-Control-Allow-Origin",
	"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
	"X-Read-From",
}

// observation is an exchange as it was seen by the server.
type observation struct {
	method string
	target *url.URL
	header http.Header
	body   []byte
	format api.Format // that the server has as a default

	status   int
	returned http.Header
	text     []byte
}

// operation finds what an exchange is about: the operation, its path, and the segments that stand for the parameters of
// the path. It is nil if the contract has no such path or method.
func (c *contract) operation(o *observation) (op *v3.Operation, item *v3.PathItem, path string) {
	segments := segmentsOf(o.target)
	for candidate, value := range c.Paths.PathItems.FromOldest() {
		fits := slices.EqualFunc(strings.Split(strings.TrimRight(candidate, "/"), "/")[1:], segments, func(part, segment string) bool {
			return part == segment || strings.HasPrefix(part, "{")
		})
		if fits && (item == nil || strings.Count(candidate, "{") < strings.Count(path, "{")) {
			item, path = value, candidate
		}
	}
	if item == nil {
		return nil, nil, ""
	}
	op, _ = item.GetOperations().Get(strings.ToLower(o.verb()))
	return op, item, path
}

// laterVersion matches what stands for v2.
var laterVersion = regexp.MustCompile(`^v(0*[2-9]|0*[1-9][0-9]+)$`)

// segmentsOf returns the segments of a path, in the spelling of the contract.
func segmentsOf(target *url.URL) []string {
	segments := strings.Split(strings.TrimPrefix(strings.TrimRight(target.EscapedPath(), "/"), "/"), "/")
	for i, segment := range segments {
		segments[i], _ = url.PathUnescape(segment)
	}
	if laterVersion.MatchString(segments[0]) {
		segments[0] = "v2"
	}
	if len(segments) > 1 && segments[1] == "account" {
		segments = slices.Concat([]string{"v2", "accounts", strings.Repeat("0", 32)}, segments[2:])
	}
	return segments
}

// verb returns the method of an exchange, or the one that its POST carries.
func (o *observation) verb() string {
	if o.method != http.MethodPost {
		return o.method
	}
	var envelope struct {
		Verb string
		Data struct{ Verb string }
	}
	_ = json.Unmarshal(o.body, &envelope)
	for _, verb := range []string{envelope.Data.Verb, o.target.Query().Get("verb"), envelope.Verb} {
		if verb != "" {
			return strings.ToUpper(verb)
		}
	}
	return o.method
}

// check returns how an exchange breaks the contract.
func (c *contract) check(o *observation) (complaints []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	op, item, path := c.operation(o)
	if op == nil {
		inConsole := strings.HasPrefix(o.target.Path, console.Root) // whose files are not listed
		if o.status < 300 && o.verb() != http.MethodOptions && o.verb() != http.MethodHead && !inConsole {
			return []string{"the contract has no such path or method"}
		}
		return nil
	}
	complain := func(what string, _ bool, found []*invalid.ValidationError) {
		for _, e := range found {
			if text := fmt.Sprintf("%s: %s %v", what, e.Reason, details(e)); !lenient.MatchString(text) {
				complaints = append(complaints, text)
			}
		}
	}
	request := &http.Request{
		Method: o.verb(), URL: &url.URL{Path: path, RawQuery: o.target.RawQuery}, Header: o.header.Clone(),
		Body: io.NopCloser(bytes.NewReader(o.body)),
	}
	status := o.status
	if o.verb() != o.method && o.verb() == http.MethodPut && status == http.StatusOK {
		status = http.StatusCreated // cowboy_rest makes no 201 of a POST without a Location
	}
	response := &http.Response{
		StatusCode: status, Header: o.returned, Body: io.NopCloser(bytes.NewReader(o.text)), Request: request,
	}
	ok, found := c.responses.ValidateResponseBodyWithPathItem(request, response, c.closed.Paths.PathItems.GetOrZero(path), path)
	complain("response", ok, found)
	if declared := responseOf(op, status); declared != nil && declared.Headers != nil {
		ok, found := responses.ValidateResponseHeaders(
			request, response, declared.Headers, path, strconv.Itoa(status), c.headers...)
		complain("response", ok, found)
	}
	if o.status < 300 && json.Valid(o.body) { // what is refused may be wrong, and so is what is labelled as a form
		request.Header.Set("Content-Type", "application/json")
		ok, found := c.bodies.ValidateRequestBodyWithPathItem(request, item, path)
		complain("request", ok, found)
		request.URL.Path = "/" + strings.Join(segmentsOf(o.target), "/")
		ok, found = c.parameters.ValidatePathParamsWithPathItem(request, item, path)
		complain("path", ok, found)
	}
	return complaints
}

// responseOf returns the response that is declared for a status, nil if there is none.
func responseOf(op *v3.Operation, status int) *v3.Response {
	if declared := op.Responses.Codes.GetOrZero(strconv.Itoa(status)); declared != nil {
		return declared
	}
	return op.Responses.Default
}

// lenient matches what requests got wrong that succeeded all the same: a word for a boolean, which Crossbar casts, and
// entries of a bulk, which are refused one by one.
var lenient = regexp.MustCompile(`^request: .*(randomize_routing: got string, want boolean|data\.ips\[\d+\])`)

func details(e *invalid.ValidationError) (reasons []string) {
	for _, f := range e.SchemaValidationErrors {
		reasons = append(reasons, f.FieldPath+": "+f.Reason)
	}
	return reasons
}

// count counts an exchange of a suite.
func (c *contract) count(o *observation) {
	op, _, _ := c.operation(o)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all++
	if op == nil {
		c.rest++
		return
	}
	if o.status < 300 {
		c.seen[op.OperationId] = true
	}
	if o.status < 300 && slices.ContainsFunc(op.Parameters, func(p *v3.Parameter) bool { return p.Name == "response_format" }) {
		format, ok := api.ParseFormat(o.target.Query().Get("response_format"))
		if !ok {
			format = o.format
		}
		c.validated[format]++
	}
}

// report says how many exchanges were validated. After a run of all tests it returns the operations of which no success
// was seen.
func (c *contract) report(all bool) (unseen []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Printf("openapi.yaml: %d exchanges validated; where there are two formats, %d successes in %s and %d in %s; "+
		"%d of no operation\n", c.all-c.rest, c.validated[api.Documented], api.Documented, c.validated[api.Crossbar],
		api.Crossbar, c.rest)
	if !all {
		return nil
	}
	for name, op := range c.operations() {
		if !c.seen[op.OperationId] {
			unseen = append(unseen, name)
		}
	}
	slices.Sort(unseen)
	return unseen
}
