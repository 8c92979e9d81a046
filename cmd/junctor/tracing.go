package main

import (
	"context"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// openTracing returns what records spans and sends them to --otlp-endpoint, and what sends the last ones. Both are nil
// without an endpoint.
func (f *serveFlags) openTracing(ctx context.Context, log zerolog.Logger) (tracer api.Tracer, closeIt func() error, err error) {
	if f.otlpEndpoint == "" {
		return nil, nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimRight(f.otlpEndpoint, "/")+"/v1/traces"))
	if err != nil {
		return nil, nil, err
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(loggingExporter{exporter, log}),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "junctor"),
			attribute.String("service.version", version()), attribute.String("service.instance.id", nodeName()))),
	)
	return provider.Tracer("junctor"), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime*time.Duration(9)/10)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}

// loggingExporter logs spans that are lost, in place of OpenTelemetry's handler, which is global to the process.
type loggingExporter struct {
	trace.SpanExporter
	log zerolog.Logger
}

// ExportSpans implements trace.SpanExporter.
func (e loggingExporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		e.log.Warn().Err(err).Int("spans", len(spans)).Msg("spans were lost: the collector of --otlp-endpoint does not take them")
	}
	return nil
}
