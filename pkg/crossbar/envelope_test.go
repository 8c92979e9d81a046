package crossbar

import (
	"bytes"
	"encoding/json"
	"testing"

	"junctor/pkg/document"
)

// FuzzEnvelope: whatever is in an envelope comes out of it, and nothing of it leaks into another member.
func FuzzEnvelope(f *testing.F) {
	for _, text := range []string{"", "plain", `"quoted\`, "<&>", "\x00\x1f\x7f", "ä日\u2028", "\xff\xfe", `","x":"`} {
		f.Add(text, text, 1)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		data, err := document.Encode(map[string]any{"a": a})
		if err != nil {
			t.Fatal(err)
		}
		metadata := map[string]any{"b": b}
		e := envelope{
			pageSize: &n, nextStartKey: a, authToken: b, data: data, message: a, metadata: metadata, node: b, requestID: a,
			status: "success", timestamp: b, version: a,
		}
		body, err := e.text(new([]byte))
		if err != nil {
			t.Fatal(err)
		}
		text := bytes.Join(body, nil)
		want, err := document.Encode(struct {
			PageSize     int            `json:"page_size"`
			NextStartKey string         `json:"next_start_key,omitempty"`
			AuthToken    string         `json:"auth_token,omitempty"`
			Data         map[string]any `json:"data"`
			Message      string         `json:"message,omitempty"`
			Metadata     any            `json:"metadata"`
			Node         string         `json:"node,omitempty"`
			RequestID    string         `json:"request_id,omitempty"`
			Status       string         `json:"status"`
			Timestamp    string         `json:"timestamp,omitempty"`
			Version      string         `json:"version,omitempty"`
		}{n, a, b, map[string]any{"a": a}, a, metadata, b, a, "success", b, a})
		if err != nil || string(text) != string(want) || !json.Valid(text) {
			t.Errorf("%s\nwant %s, %v", text, want, err)
		}
	})
}
