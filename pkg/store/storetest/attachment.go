package storetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

// attachments: Kazoo keeps its signing key in one. They come with their document, and stay through a change of what Get
// returned, where a stub stands for each. Names may have what has a meaning in a path.
func attachments(s *subject) {
	contents := map[string][]byte{
		"private_key.pem": make([]byte, 4096), "folder/a b?#%+.txt": []byte("hello"), "empty": {},
		"large": bytes.Repeat([]byte("0123456789abcdef"), 1<<16),
	}
	for i := range contents["private_key.pem"] {
		contents["private_key.pem"][i] = byte(i)
	}
	given := map[string]any{}
	for name, content := range contents {
		given[name] = map[string]any{
			"content_type": "application/x-test", "data": base64.StdEncoding.EncodeToString(content),
		}
	}
	_, err := s.Put(s.Context(), s.db, document.Document{"_id": "a", "v": "1", "_attachments": given})
	s.ok(err)
	s.attached(contents)

	_, err = s.Update(s.Context(), s.db, "a", func(doc document.Document) error {
		stubs, _ := doc["_attachments"].(map[string]any)
		if len(stubs) != len(contents) || doc["v"] != "1" {
			s.Errorf("the document is %v", doc)
		}
		for name, content := range contents {
			stub, _ := stubs[name].(map[string]any)
			if stub["stub"] != true || stub["content_type"] != "application/x-test" ||
				stub["length"] != json.Number(fmt.Sprint(len(content))) || stub["data"] != nil {
				s.Errorf("the stub of %s is %v", name, stub)
			}
		}
		doc["more"] = true
		delete(stubs, "empty")
		return nil
	})
	s.ok(err)
	delete(contents, "empty")
	s.attached(contents)

	s.put(`{"_id":"b"}`)
	for _, missing := range [][]string{{"a", "empty"}, {"b", "large"}, {"c", "large"}} {
		_, err = s.Attachment(s.Context(), s.db, missing[0], missing[1])
		testutil.RequireFault(s, err, fault.BadIdentifier)
	}
	s.remove("a")
	_, err = s.Attachment(s.Context(), s.db, "a", "large")
	testutil.RequireFault(s, err, fault.BadIdentifier)
}

// attached requires the document a to have attachments with these contents.
func (s *subject) attached(contents map[string][]byte) {
	s.Helper()
	for name, want := range contents {
		got, err := s.Attachment(s.Context(), s.db, "a", name)
		s.ok(err)
		if !bytes.Equal(got, want) {
			s.Errorf("%s: %d bytes came back: %.40q", name, len(got), got)
		}
	}
}
