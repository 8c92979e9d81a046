package notify

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
		name, db    string
		doc, before document.Document
		want        message
	}{
		{"new", "dedicated_ips", document.Document{"pvt_type": "t"}, nil, message{EventName: created, Type: "t"}},
		{"changed", "dedicated_ips", document.Document{"_rev": "1-a", "pvt_modified": document.Number(7)}, nil,
			message{EventName: edited, DateCreated: "7"}},
		{"removed", "dedicated_ips", document.Document{"_rev": "1-a", "_deleted": true}, before,
			message{EventName: deleted, Type: "dedicated_ip", DateModified: "5"}},
		{"removed, unknown before", "dedicated_ips", nil, nil, message{EventName: deleted, Type: "dedicated_ip"}},
		{"softly", "dedicated_ips", document.Document{"_rev": "1-a", "pvt_deleted": true}, nil,
			message{EventName: deleted, IsSoftDeleted: true}},
		{"in a month", "account/20/d2/7928305e257782655b7896c79f14-202611", document.Document{}, nil,
			message{EventName: created, AccountID: accountA}},
		{"owner named", "dedicated_ips", document.Document{"pvt_account_id": other}, nil,
			message{EventName: created, AccountID: other}},
		{"dates of another kind", "dedicated_ips", document.Document{"pvt_created": "5"}, nil, message{EventName: created}},
	} {
		got := about("n", c.db, "x", c.doc, c.before, c.doc.Rev() == "")
		got = message{EventName: got.EventName, Type: got.Type, AccountID: got.AccountID, IsSoftDeleted: got.IsSoftDeleted,
			DateModified: got.DateModified, DateCreated: got.DateCreated}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
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
