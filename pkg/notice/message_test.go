package notice

import (
	"strings"
	"testing"

	"junctor/pkg/document"
)

func TestKey(t *testing.T) {
	t.Parallel()
	const db = "account/20/d2/7928305e257782655b7896c79f14"
	for _, c := range []struct{ db, id, kind, want string }{
		{"dedicated_ips", "1.2.3.4", "dedicated_ip", "doc_edited.dedicated_ips.dedicated_ip.1%2E2%2E3%2E4"},
		{"dedicated_ips", "2001:db8::1", "dedicated_ip", "doc_edited.dedicated_ips.dedicated_ip.2001%3Adb8%3A%3A1"},
		{db, "a b", "", "doc_edited.account%2F20%2Fd2%2F7928305e257782655b7896c79f14.undefined.a+b"},
		{"dedicated_ips", "é~_-*", "x", "doc_edited.dedicated_ips.x.%C3%A9~_-%2A"},
		{"dedicated_ips", "*", "x", "doc_edited.dedicated_ips.x.*"},
		{"dedicated_ips", "#", "x", "doc_edited.dedicated_ips.x.#"},
	} {
		if got := newMessage("n", c.db, c.id, c.kind, edited).key(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.id, got, c.want)
		}
	}
}

func TestAbout(t *testing.T) {
	t.Parallel()
	const other = "09c766718e5cfdbc70c929dccb4e00fc"
	before := document.Document{"_id": "x", "pvt_type": "dedicated_ip", "pvt_created": document.Number(5)}
	for _, c := range []struct {
		name, db string
		doc      document.Document
		want     message
	}{
		{"new", "dedicated_ips", document.Document{"pvt_type": "t"}, message{EventName: created, Type: "t"}},
		{"changed", "dedicated_ips", document.Document{"_rev": "1-a", "pvt_modified": document.Number(7)},
			message{EventName: edited, DateCreated: "7"}},
		{"removed", "dedicated_ips", document.Document{"_rev": "1-a", "_deleted": true},
			message{EventName: deleted, Type: "dedicated_ip", DateModified: "5"}},
		{"softly", "dedicated_ips", document.Document{"_rev": "1-a", "pvt_deleted": true},
			message{EventName: deleted, IsSoftDeleted: true}},
		{"in a month", "account/20/d2/7928305e257782655b7896c79f14-202611", document.Document{},
			message{EventName: created, AccountID: accountA}},
		{"owner named", "dedicated_ips", document.Document{"pvt_account_id": other},
			message{EventName: created, AccountID: other}},
		{"dates of another kind", "dedicated_ips", document.Document{"pvt_created": "5"}, message{EventName: created}},
	} {
		got := about("n", c.db, c.doc, before)
		got = message{EventName: got.EventName, Type: got.Type, AccountID: got.AccountID, IsSoftDeleted: got.IsSoftDeleted,
			DateModified: got.DateModified, DateCreated: got.DateCreated}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestJudge covers what a document may have become since a write that nobody knows the end of.
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ event, before, now, want string }{
		{created, "", "", ""},
		{created, "", "1-a", "doc_created 1-a"},
		{edited, "1-a", "1-a", ""},
		{edited, "1-a", "2-b", "doc_edited 2-b"},
		{edited, "1-a", "", "doc_deleted "},
		{deleted, "1-a", "1-a", ""},
		{deleted, "1-a", "", "doc_deleted "},
		{deleted, "1-a", "3-c", "doc_edited 3-c"},
	} {
		var now document.Document
		if c.now != "" {
			now = document.Document{"_rev": c.now}
		}
		got := ""
		if e, due := judge(entry{Message: message{EventName: c.event}, Before: c.before}, now); due {
			got = e.Message.EventName + " " + e.Message.Rev
		}
		if got != c.want {
			t.Errorf("%s over %q, now %q: got %q, want %q", c.event, c.before, c.now, got, c.want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		"amqp://guest:guest@127.0.0.1:5672/": true, "amqps://u:p@broker/kazoo": true, "amqp://broker": true,
		"": false, "http://u:secret@broker": false, "amqp://u:secret@broker:x": false, "broker:5672": false,
	} {
		err := CheckURL(url)
		if (err == nil) != good {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}
