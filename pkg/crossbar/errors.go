package crossbar

import (
	"cmp"
	"errors"
	"net/http"

	"junctor/pkg/fault"
)

// errorResponse is the response to a kind of failure. data is its message under "data" if the fault has no data of its
// own; empty is no data.
type errorResponse struct {
	status  int
	message string
	data    string
}

// errorResponses is the one place where a failure becomes a status (Crossbar: cb_context:add_system_error).
var errorResponses = map[fault.Kind]errorResponse{
	fault.Internal:             {http.StatusInternalServerError, "internal error", "internal error"},
	fault.Invalid:              {http.StatusBadRequest, "validation error", ""},
	fault.BadIdentifier:        {http.StatusNotFound, "bad_identifier", "bad identifier"},
	fault.NotFound:             {http.StatusNotFound, "not_found", "not found"},
	fault.MethodNotAllowed:     {http.StatusMethodNotAllowed, "invalid_method", "method not allowed"},
	fault.Unauthenticated:      {http.StatusUnauthorized, "invalid_credentials", "invalid credentials"},
	fault.TokenRejected:        {http.StatusUnauthorized, "invalid credentials", ""},
	fault.Forbidden:            {http.StatusForbidden, "forbidden", "forbidden"},
	fault.Conflict:             {http.StatusConflict, "datastore_conflict", "conflicting documents"},
	fault.Gone:                 {http.StatusGone, "gone", "gone"},
	fault.PaymentRequired:      {http.StatusPaymentRequired, "accept charges", ""},
	fault.BillingIssue:         {http.StatusPaymentRequired, "billing_issue", "billing issue"},
	fault.PreconditionFailed:   {http.StatusPreconditionFailed, "precondition_failed", "the revision is another one"},
	fault.NotAcceptable:        {http.StatusNotAcceptable, "not_acceptable", "responses are application/json"},
	fault.UnsupportedMedia:     {http.StatusUnsupportedMediaType, "unsupported_media_type", "bodies are application/json"},
	fault.TooLong:              {http.StatusRequestURITooLong, "uri_too_long", "the request line is too long"},
	fault.TooManyRequests:      {http.StatusTooManyRequests, "too_many_requests", "too many requests"},
	fault.ClusterUnreachable:   {http.StatusServiceUnavailable, "cluster_unreachable", "the cluster does not respond"},
	fault.Busy:                 {http.StatusServiceUnavailable, "service_unavailable", "at the limit, try again"},
	fault.DatastoreMissing:     {http.StatusServiceUnavailable, "datastore_missing", missingDatabase},
	fault.DatastoreMissingView: {http.StatusServiceUnavailable, "datastore_missing_view", "datastore missing view"},
	fault.DatastoreUnreachable: {http.StatusServiceUnavailable, "datastore_unreachable", "datastore timeout"},
	fault.DatastorePartial:     {http.StatusServiceUnavailable, "datastore_partial", "not all nodes have confirmed the write"},
	fault.DatastoreFault:       {http.StatusServiceUnavailable, "datastore_fault", "datastore fatal error"},
	fault.SchemaUnusable:       {http.StatusInternalServerError, "schema unusable", "schema unusable"},
	fault.NotImplemented:       {http.StatusNotImplemented, "not_implemented", "not implemented"},
}

const missingDatabase = "data collection missing: database not found"

// describe returns the status, the message and the data of a failure. Of an error that is not classified the client
// learns nothing; its text is in the log.
func describe(err error) (status int, message string, data any) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind == fault.Internal {
		e = &fault.Error{}
	}
	w := errorResponses[e.Kind]
	switch {
	case e.Data != nil:
		data = e.Data
	case w.data != "":
		data = map[string]any{"message": w.data}
	default:
		data = map[string]any{}
	}
	return w.status, cmp.Or(e.Message, w.message), data
}
