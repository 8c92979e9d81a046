// Package tracing takes part in traces, as W3C Trace Context describes them: it continues the trace that a request belongs
// to, passes the trace on to servers that are called for the request, and records spans if a tracer is given.
//
// Without a tracer and without a traceparent header it does nothing. The package does not know where spans go: package
// main gives the tracer.
package tracing

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// scope names the spans' origin.
const scope = "junctor"

// Begin returns a request that is being served with a context of the trace that its headers name, and the id of that trace.
// With a tracer it begins a span, which the caller ends with End, and there is a trace in any case. Without a trace the
// request is as before, and the id is empty.
func Begin(r *http.Request, tracer trace.Tracer) (_ *http.Request, span trace.Span, traceID string) {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	if tracer != nil {
		ctx, span = tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	}
	of := trace.SpanContextFromContext(ctx)
	if !of.IsValid() {
		return r, span, ""
	}
	return r.WithContext(ctx), span, of.TraceID().String()
}

// End names a request's span by its method and route, and ends it.
func End(span trace.Span, method, route string, status int) {
	span.SetName(method + " " + route)
	span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Transport passes the trace of a request on to the server that it is sent to, and records a span for it if there is a
// tracer. peer names the server in the span.
func Transport(next http.RoundTripper, peer string) http.RoundTripper { return &transport{next, peer} }

type transport struct {
	http.RoundTripper
	peer string
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	parent := trace.SpanFromContext(r.Context())
	if !parent.SpanContext().IsValid() {
		return t.RoundTripper.RoundTrip(r)
	}
	ctx, span := r.Context(), parent
	if parent.IsRecording() {
		ctx, span = parent.TracerProvider().Tracer(scope).Start(ctx, t.peer+" "+r.Method,
			trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("peer.service", t.peer),
				attribute.String("http.request.method", r.Method)))
		defer span.End()
	}
	r = r.Clone(ctx) // a RoundTripper must not change its request
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
	resp, err := t.RoundTripper.RoundTrip(r)
	if !parent.IsRecording() {
		return resp, err
	}
	if err != nil {
		span.SetStatus(codes.Error, "no response")
	} else {
		span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	}
	return resp, err
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport below.
func (t *transport) CloseIdleConnections() {
	if next, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}
