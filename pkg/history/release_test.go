package history

import (
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// TestLastRelease follows an address through changes of ours and of Kazoo's, and asks after each for its last release.
func TestLastRelease(t *testing.T) {
	t.Parallel()
	const kazoos, undo = "kazoo", "undo"
	at := func(seconds int64) document.Document {
		return document.Document{kazoo.FieldModified: document.Number(seconds), kazoo.FieldCreated: document.Number(100)}
	}
	for name, steps := range map[string][]struct {
		by, holder string
		at         int64
		want       string // account and time; empty is none
	}{
		"ours": {
			{"", "", 100, ""}, {"", "A", 110, ""}, {"", "", 120, "A 120"}, {"", "", 130, "A 120"}, {"", "", 140, "A 120"},
			{"", "", 150, "A 120"}, {"", "", 160, "A 120"}, {"", "", 170, "A 120"}, {"", "A", 180, ""}, {"", "", 190, "A 190"},
		},
		"a request that failed": {
			{"", "", 100, ""}, {"", "B", 110, ""}, {undo, "", 111, ""}, {"", "A", 120, ""}, {"", "", 130, "A 130"},
			{"", "B", 140, ""}, {undo, "", 141, "A 130"}, {"", "", 150, "A 130"}, {"", "", 151, "A 130"}, {"", "C", 152, ""},
			{undo, "", 153, "A 130"}, {"", "", 154, "A 130"}, {"", "", 155, "A 130"},
		},
		"a release that failed": {{"", "", 100, ""}, {"", "A", 110, ""}, {"", "", 120, "A 120"}, {undo, "A", 121, ""},
			{"", "", 130, "A 130"}},
		"moved": {{"", "", 100, ""}, {"", "A", 110, ""}, {"", "B", 120, ""}, {"", "", 130, "B 130"}},
		"Kazoo releases": {{"", "", 100, ""}, {"", "A", 110, ""}, {kazoos, "", 120, "A 120"}, {"", "", 130, "A 120"},
			{"", "", 131, "A 120"}, {"", "", 132, "A 120"}, {"", "", 133, "A 120"}, {"", "", 134, "A 120"}},
		"Kazoo in the same second":     {{"", "", 100, ""}, {"", "A", 110, ""}, {kazoos, "", 110, "A 110"}},
		"Kazoo assigns and releases":   {{"", "", 100, ""}, {"", "A", 110, ""}, {"", "", 120, "A 120"}, {kazoos, "", 130, " 130"}},
		"Kazoo alone":                  {{kazoos, "", 100, ""}, {kazoos, "A", 110, ""}, {kazoos, "", 120, " 120"}},
		"edited after Kazoo's release": {{kazoos, "", 100, ""}, {kazoos, "", 120, " 120"}, {"", "", 130, " 120"}, {"", "", 131, " 120"}, {"", "", 132, " 120"}, {"", "", 133, " 120"}, {"", "", 134, " 120"}},
		"edited after Kazoo's create":  {{kazoos, "", 100, ""}, {"", "", 130, ""}, {"", "", 140, ""}},
	} {
		doc, before := document.Document(nil), document.Document(nil)
		for i, step := range steps {
			after := address(i+1, step.holder, at(step.at))
			switch step.by {
			case kazoos:
				after[Field] = doc[Field]
			case undo:
				after[Field] = before[Field]
				RecordUndo(after, doc, Actor{}, step.at)
			default:
				Record(after, doc, Actor{}, step.at)
			}
			(*Log)(nil).Trim(t.Context(), after)
			doc, before = after, doc
			got := ""
			if r, ok := LastRelease(doc); ok {
				got = r.Account + " " + document.Number(r.At).String()
			}
			if got != step.want || len(Changes(doc)) > Held {
				t.Errorf("%s: after %d steps %q, want %q: %s", name, i+1, got, step.want, told(doc))
			}
		}
	}
}

// TestDeletedAndCreatedAgain: nobody has given back an address that was deleted while it was held, and what was given
// back before it was deleted stays so.
func TestDeletedAndCreatedAgain(t *testing.T) {
	t.Parallel()
	for holder, want := range map[string]string{"A": "", "": "B"} {
		doc := document.Document(nil)
		for i, after := range []document.Document{
			address(1, "B"), address(2, ""), address(3, holder), tombstone(4), address(5, ""),
		} {
			Record(after, doc, Actor{}, int64(100+i))
			(*Log)(nil).Trim(t.Context(), after)
			doc = after
		}
		if r, _ := LastRelease(doc); r.Account != want {
			t.Errorf("held by %q before: %+v, %s", holder, r, told(doc))
		}
	}
}
