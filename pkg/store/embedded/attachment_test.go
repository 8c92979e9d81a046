package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-kivik/kivik/v4"
)

const helloDigest = "md5-XUFAKrxLKna5cZ2REBfFkg==" // of "hello"

func readFile(t *testing.T, db *kivik.DB, id, name string) string {
	t.Helper()
	att, err := db.GetAttachment(t.Context(), id, name)
	if err != nil {
		t.Fatalf("GetAttachment(%q, %q): %v", id, name, err)
	}
	data, err := io.ReadAll(att.Content)
	if err != nil {
		t.Fatal(err)
	}
	return att.ContentType + " " + string(data)
}

func TestInlineAttachments(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	rev := put(t, db, "x", `{"n":1,"_attachments":{
		"b":{"data":""},"a.txt":{"content_type":"text/plain","data":"aGVsbG8=","length":99}}}`)
	want := `{"_id":"x","_rev":"` + rev + `","n":1,"_attachments":{"a.txt":{"content_type":"text/plain",` +
		`"revpos":1,"digest":"` + helloDigest + `","length":5,"stub":true},"b":{"content_type":` +
		`"application/octet-stream","revpos":1,"digest":"md5-1B2M2Y8AsgTpgAmY7PhCfg==","length":0,"stub":true}}}`
	doc := get(t, db, "x")
	if doc != want {
		t.Errorf("got  %s\nwant %s", doc, want)
	}
	if got := readFile(t, db, "x", "a.txt"); got != "text/plain hello" {
		t.Errorf("a.txt: %q", got)
	}
	put(t, db, "x", strings.Replace(doc, `"n":1`, `"n":2`, 1))
	if got := readFile(t, db, "x", "a.txt"); got != "text/plain hello" {
		t.Errorf("a.txt after an update with stubs: %q", got)
	}
	if doc = get(t, db, "x"); !strings.Contains(doc, `"revpos":1`) {
		t.Errorf("a stub changed: %s", doc)
	}
	rev, err := db.GetRev(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	put(t, db, "x", `{"_rev":"`+rev+`","_attachments":{"b":{"stub":true}}}`)
	_, err = db.GetAttachment(t.Context(), "x", "a.txt")
	wantError(t, err, http.StatusNotFound, "missing attachment")
	if got := readFile(t, db, "x", "b"); got != "application/octet-stream " {
		t.Errorf("b: %q", got)
	}
}

func TestAttachmentMethods(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := newDB(t)
	file := func(content string) *kivik.Attachment {
		return &kivik.Attachment{
			Filename: "k.pem", ContentType: "application/x-pem-file",
			Content: io.NopCloser(strings.NewReader(content)),
		}
	}
	first, err := db.PutAttachment(ctx, "key", file("hello"))
	if err != nil || !revisionFormat(first, "1") {
		t.Fatalf("PutAttachment: %q, %v", first, err)
	}
	_, err = db.PutAttachment(ctx, "key", file("late"), kivik.Rev("1-a"))
	wantError(t, err, http.StatusConflict, "conflict")
	second := put(t, db, "key", strings.Replace(get(t, db, "key"), `{`, `{"n":1,`, 1))
	third, err := db.PutAttachment(ctx, "key", file("other"), kivik.Rev(second))
	if err != nil {
		t.Fatal(err)
	}
	if doc := get(t, db, "key"); !strings.Contains(doc, `"n":1`) || !strings.Contains(doc, `"revpos":3`) {
		t.Errorf("document after PutAttachment: %s", doc)
	}
	meta, err := db.GetAttachmentMeta(ctx, "key", "k.pem", kivik.Rev(third))
	if err != nil || meta.Size != 5 || meta.ContentType != "application/x-pem-file" {
		t.Errorf("meta: %+v, %v", meta, err)
	}
	_, err = db.DeleteAttachment(ctx, "key", third, "other.pem")
	wantError(t, err, http.StatusNotFound, "missing attachment")
	fourth, err := db.DeleteAttachment(ctx, "key", third, "k.pem")
	if err != nil || !revisionFormat(fourth, "4") {
		t.Fatalf("DeleteAttachment: %q, %v", fourth, err)
	}
	if doc := get(t, db, "key"); doc != `{"_id":"key","_rev":"`+fourth+`","n":1}` {
		t.Errorf("document after DeleteAttachment: %s", doc)
	}
}

// TestAttachmentsOfADocument reads as from CouchDB through kivik's couch driver.
func TestAttachmentsOfADocument(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	put(t, db, "x", `{"_attachments":{"a":{"content_type":"text/plain","data":"aGVsbG8="},"b":{"data":"AAE="}}}`)
	doc := db.Get(t.Context(), "x", kivik.Param("attachments", true))
	var body json.RawMessage
	if err := doc.ScanDoc(&body); err != nil || !bytes.Contains(body, []byte(`"follows":true`)) {
		t.Errorf("document: %s, %v", body, err)
	}
	files, err := doc.Attachments()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		att, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(att.Content)
		got = append(got, att.Filename+"="+string(data))
	}
	if want := "a=hello b=\x00\x01"; strings.Join(got, " ") != want {
		t.Errorf("files %q, want %q", got, want)
	}
}

func TestRefusedAttachments(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	for name, test := range map[string]struct {
		atts   string
		status int
		want   string
	}{
		"no data":       {`{"a":{}}`, 400, "neither data nor a stub"},
		"no base64":     {`{"a":{"data":"?"}}`, 400, "base64"},
		"unknown stub":  {`{"a":{"stub":true}}`, 412, "Invalid attachment stub"},
		"reserved name": {`{"_a":{"data":""}}`, 400, "prohibited character"},
		"no object":     {`[]`, 400, "_attachments"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := db.Put(t.Context(), "x", json.RawMessage(`{"_attachments":`+test.atts+`}`))
			wantError(t, err, test.status, test.want)
		})
	}
	large := &kivik.Attachment{Filename: "l", Content: io.NopCloser(bytes.NewReader(make([]byte, maxAttachment+1)))}
	_, err := db.PutAttachment(t.Context(), "x", large)
	wantError(t, err, http.StatusRequestEntityTooLarge, "l")
}
