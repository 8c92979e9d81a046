package crossbar

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"junctor/pkg/auth"
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
		s := &Server{Config: Config{Now: func() time.Time { return time.Unix(0, 0) }, Version: a}, node: b}
		r := &Request{ID: a, Token: auth.Credentials{Token: b}, Identity: &auth.Identity{}}
		body, err := s.envelope(r, response{
			Reply: Reply{PageSize: &n, Next: a, Metadata: metadata}, data: data, message: a,
		}, new([]byte))
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
		}{n, a, b, map[string]any{"a": a}, a, metadata, b, a, "success", "1970-01-01T00:00:00Z", a})
		if err != nil || string(text) != string(want) || !json.Valid(text) {
			t.Errorf("%s\nwant %s, %v", text, want, err)
		}
	})
}
