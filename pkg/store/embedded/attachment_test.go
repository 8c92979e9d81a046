package embedded

import (
	"encoding/base64"
	"encoding/json"
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
	content := base64.StdEncoding.EncodeToString(make([]byte, maxAttachment+1))
	large := map[string]any{"l": map[string]any{"data": content}}
	_, err := db.Put(t.Context(), "x", map[string]any{"_attachments": large})
	wantError(t, err, http.StatusRequestEntityTooLarge, "l")
}
