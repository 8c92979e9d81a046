package history_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/testutil"
)

// recordedWrites returns the documents of the pool that a real Crossbar wrote, by exchange, in their order. They are in
// the recordings that package api replays.
func recordedWrites(t *testing.T) (exchanges [][]document.Document) {
	t.Helper()
	for _, name := range []string{"03_root_create_ip", "05_root_delete", "07_assign", "08_release", "14_token_and_account_state"} {
		text, err := os.ReadFile(filepath.Join("..", "api", "testdata", "golden", name+".jsonl"))
		testutil.OK(t, err)
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var exchange struct {
				Changes map[string][]document.Document `json:"couch_changes"`
			}
			testutil.OK(t, json.Unmarshal(lines.Bytes(), &exchange))
			docs := slices.DeleteFunc(exchange.Changes[dedicatedip.Database], func(doc document.Document) bool {
				return doc.String("pvt_zone") == "" // what Crossbar stores for a PUT of [], which is no address
			})
			if len(docs) > 0 {
				exchanges = append(exchanges, docs)
			}
		}
	}
	return exchanges
}

// TestRecordedWrites: each change that a real Crossbar has written is one event from elsewhere, whether a server runs at
// the time or is started later.
func TestRecordedWrites(t *testing.T) {
	exchanges := recordedWrites(t)
	if len(exchanges) < 40 {
		t.Fatalf("%d exchanges with writes", len(exchanges))
	}
	run(t, func(w *world) {
		s := w.server()
		revision, holder, want := map[string]string{}, map[string]string{}, map[string][]string{}
		for i, docs := range exchanges {
			if i%4 == 0 {
				s.stop()
			}
			w.clock.Add(10)
			for _, doc := range docs {
				id, before, account := doc.ID(), holder[doc.ID()], doc.String("pvt_assigned_to")
				doc = doc.Clone()
				if delete(doc, "_rev"); revision[id] != "" {
					doc["_rev"] = revision[id]
				}
				rev, err := w.Put(w.Context(), dedicatedip.Database, doc)
				w.ok(err)
				var action string
				switch {
				case revision[id] == "":
					action = "created"
				case account != "":
					action = "assigned"
				case before != "":
					action = "released"
				}
				revision[id], holder[id] = rev, account
				if n := len(want[id]); action != "" { // Crossbar's POST ips/{IP} writes "assigned" without an account
					want[id] = append(want[id], fmt.Sprintf(":%d:%.1s %s %.1s>%.1s elsewhere", n+1, rev, action, before, account))
				}
			}
			if i%4 == 0 {
				s = w.server()
			}
			for _, doc := range docs {
				s.waitFor(doc.ID(), want[doc.ID()]...)
			}
		}
	})
}
