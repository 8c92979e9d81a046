package storetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// attachments: Kazoo keeps its signing key in one. It comes with its document, and stays through a change of
// what Get returned, where a stub stands for it.
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
	testutil.RequireFault(s, err, fault.BadIdentifier)
	_, err = s.Attachment(s.Context(), s.db, "b", "private_key.pem")
	testutil.RequireFault(s, err, fault.BadIdentifier)
	s.remove("a")
	_, err = s.Attachment(s.Context(), s.db, "a", "private_key.pem")
	testutil.RequireFault(s, err, fault.BadIdentifier)
}

// putAttachments: attachments are written one by one, beside each other, over the revision that the caller has seen.
// Names may have what has a meaning in a path.
func putAttachments(s *subject) {
	rev := s.put(`{"_id":"a","v":1}`)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	contents := map[string][]byte{"folder/a b?#%+.txt": []byte("hello"), "empty": {}, "large": large}
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		file := store.NewAttachment{Name: name, ContentType: "application/x-test", Length: int64(len(contents[name])),
			Content: bytes.NewReader(contents[name])}
		newest, err := s.PutAttachment(s.Context(), s.db, "a", rev, file)
		s.ok(err)
		file.Content = bytes.NewReader(contents[name])
		_, err = s.PutAttachment(s.Context(), s.db, "a", rev, file)
		testutil.RequireFault(s, err, fault.Conflict)
		rev = newest
	}
	doc := s.get("a")
	stubs, _ := doc["_attachments"].(map[string]any)
	if doc.Rev() != rev || len(stubs) != len(contents) || doc["v"] != json.Number("1") {
		s.Errorf("the document is %v, want revision %s", doc, rev)
	}
	for name, want := range contents {
		stub, _ := stubs[name].(map[string]any)
		if stub["content_type"] != "application/x-test" || fmt.Sprint(stub["length"]) != fmt.Sprint(len(want)) {
			s.Errorf("%s: the stub is %v", name, stub)
		}
		var got bytes.Buffer
		s.ok(s.CopyAttachment(s.Context(), s.db, "a", name, &got))
		if !bytes.Equal(got.Bytes(), want) {
			s.Errorf("%s: %d bytes came back", name, got.Len())
		}
	}
	testutil.RequireFault(s, s.CopyAttachment(s.Context(), s.db, "a", "other", io.Discard), fault.BadIdentifier)
}

func (s *subject) attached(want []byte) {
	s.Helper()
	got, err := s.Attachment(s.Context(), s.db, "a", "private_key.pem")
	s.ok(err)
	if !bytes.Equal(got, want) {
		s.Errorf("%d bytes came back: %.40q", len(got), got)
	}
}
