package storetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// attachments: Kazoo keeps its signing key in one. It comes with its document, and stays through a change of
// what Get answered, where a stub stands for it.
func attachments(s *subject) {
	content := make([]byte, 4096)
	for i := range content {
		content[i] = byte(i)
	}
	s.put(`{"_id":"a","_attachments":{"private_key.pem":{"content_type":"application/x-pem-file","data":"` +
		base64.StdEncoding.EncodeToString(content) + `"}}}`)
	s.attached(content)

	_, err := s.Update(s.Context(), s.db, "a", func(doc document.Document) error {
		stubs, _ := doc["_attachments"].(map[string]any)
		stub, _ := stubs["private_key.pem"].(map[string]any)
		if stub["stub"] != true || stub["content_type"] != "application/x-pem-file" ||
			stub["length"] != json.Number("4096") || stub["data"] != nil {
			s.Errorf("the stub is %v", stub)
		}
		doc["more"] = true
		return nil
	})
	s.ok(err)
	s.attached(content)

	_, err = s.Attachment(s.Context(), s.db, "a", "other")
	s.is(err, fault.BadIdentifier)
	_, err = s.Attachment(s.Context(), s.db, "b", "private_key.pem")
	s.is(err, fault.BadIdentifier)
	s.remove("a")
	_, err = s.Attachment(s.Context(), s.db, "a", "private_key.pem")
	s.is(err, fault.BadIdentifier)
}

func (s *subject) attached(want []byte) {
	s.Helper()
	got, err := s.Attachment(s.Context(), s.db, "a", "private_key.pem")
	s.ok(err)
	if !bytes.Equal(got, want) {
		s.Errorf("%d bytes came back: %.40q", len(got), got)
	}
}
