package history

import (
	"fmt"
	"strings"
	"testing"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// address is the document of 192.0.2.1 at a generation, held by an account or available.
func address(generation int, holder string, more ...document.Document) document.Document {
	doc := document.Document{
		"_id": "192.0.2.1", "_rev": fmt.Sprintf("%d-abc", generation), kazoo.FieldType: kazoo.TypeDedicatedIP,
		kazoo.FieldStatus: kazoo.Available, kazoo.FieldZone: "z", kazoo.FieldHost: "h",
	}
	if holder != "" {
		doc[kazoo.FieldStatus], doc[kazoo.FieldAssignedTo] = kazoo.Assigned, holder
	}
	for _, fields := range more {
		for key, value := range fields {
			doc[key] = value
		}
	}
	return doc
}

func tombstone(generation int) document.Document {
	return document.Document{"_id": "192.0.2.1", "_rev": fmt.Sprintf("%d-abc", generation), "_deleted": true}
}

// told is the events of a document, newest first, in short.
func told(doc document.Document) string {
	var lines []string
	for _, e := range Changes(doc) {
		lines = append(lines, strings.Join([]string{e.ID, string(e.Action), e.From + ">" + e.To, fmt.Sprint(e.At)}, " "))
	}
	return strings.Join(lines, "; ")
}

func TestRecord(t *testing.T) {
	t.Parallel()
	by := Actor{AccountID: "m", UserID: "u", RequestID: "r", Client: "198.51.100.1", Source: API}
	var doc document.Document
	for i, step := range []struct {
		name  string
		found document.Document // what is read before the write; nil is what was written last
		after document.Document
		at    int64
		want  string // the newest events
	}{
		{"created", nil, address(1, ""), 100, "192.0.2.1:1 created > 100"},
		{"assigned", nil, address(2, "A"), 110, "192.0.2.1:2 assigned >A 110; 192.0.2.1:1 created > 100"},
		{"moved", nil, address(3, "B"), 105, "192.0.2.1:3 moved A>B 110; 192.0.2.1:2 assigned >A 110"},
		{"edited", nil, address(4, "B", document.Document{kazoo.FieldZone: "y"}), 120, "192.0.2.1:4 edited B>B 120"},
		{"released", nil, address(5, ""), 130, "192.0.2.1:5 released B> 130; 192.0.2.1:4 edited"},
		{"deleted", nil, tombstone(6), 140, "192.0.2.1:6 deleted > 140; 192.0.2.1:5 released B> 130"},
		{"created again", nil, address(7, ""), 150, "192.0.2.1:7 created > 150; 192.0.2.1:6 deleted > 140"},
		{"released after Kazoo assigned", address(9, "A", document.Document{kazoo.FieldModified: document.Number(155)}),
			address(10, ""), 160, "192.0.2.1:8 released A> 160; 192.0.2.1:7:9-abc assigned >A 155; 192.0.2.1:7 created"},
	} {
		before := doc
		if step.found != nil {
			step.found[Field] = doc[Field]
			before = step.found
		}
		doc = step.after
		Record(doc, before, by, step.at)
		if len(Changes(doc)) <= Held && i >= Held {
			t.Errorf("%s: Record has trimmed: %s", step.name, told(doc))
		}
		(*Log)(nil).Trim(t.Context(), doc)
		if got := told(doc); !strings.HasPrefix(got, step.want) || len(Changes(doc)) > Held {
			t.Errorf("%s: %s", step.name, got)
		}
		if newest := Changes(doc)[0]; newest.Actor != by || newest.Zone == "" || newest.Host == "" {
			t.Errorf("%s: %+v", step.name, newest)
		}
	}
}

// TestRecordUnrecorded: a document that Kazoo wrote, or that is from before there was a history, and a tombstone of
// Kazoo's.
func TestRecordUnrecorded(t *testing.T) {
	t.Parallel()
	doc := address(0, "")
	Record(doc, address(4, "A", document.Document{kazoo.FieldModified: document.Number(90)}), Actor{}, 100)
	if got := told(doc); got != "192.0.2.1:5 released A> 100; 192.0.2.1:4:4-abc assigned >A 90" {
		t.Error(got)
	}
	doc = address(0, "")
	Record(doc, tombstone(5), Actor{}, 100)
	if got := told(doc); got != "192.0.2.1:6 created > 100" {
		t.Error(got)
	}
}
