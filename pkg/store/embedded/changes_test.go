package embedded

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/driver"
)

// feed reads a feed to its end: "seq id revision", with ! for a deletion.
func feed(t *testing.T, changes *kivik.Changes) string {
	t.Helper()
	var got []string
	for changes.Next() {
		got = append(got, describeChange(changes))
	}
	if err := changes.Err(); err != nil {
		t.Fatalf("changes: %v", err)
	}
	meta, err := changes.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(got, "last "+meta.LastSeq), ", ")
}

func describeChange(c *kivik.Changes) string {
	mark := ""
	if c.Deleted() {
		mark = "!"
	}
	number, _, _ := strings.Cut(c.Changes()[0], "-")
	return c.Seq() + " " + c.ID() + " " + number + mark
}

func TestNormalChanges(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := newDB(t)
	rev := put(t, db, "a", `{"n":1}`)
	put(t, db, "b", `{}`)
	rev = put(t, db, "a", `{"n":2,"_rev":"`+rev+`"}`)
	put(t, db, "c", `{}`)
	if _, err := db.Delete(ctx, "a", rev); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		o    options
		want string
	}{
		{nil, "2 b 1, 4 c 1, 5 a 3!, last 5"},
		{options{"since": "0"}, "2 b 1, 4 c 1, 5 a 3!, last 5"},
		{options{"since": "4"}, "5 a 3!, last 5"},
		{options{"since": "99"}, "last 5"},
		{options{"limit": 1}, "2 b 1, last 2"},
	} {
		t.Run(fmt.Sprint(test.o), func(t *testing.T) {
			if got := feed(t, db.Changes(ctx, test.o)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	wantError(t, db.Changes(ctx, kivik.Param("since", "x")).Err(), 400, "since")
	changes := db.Changes(ctx, kivik.IncludeDocs(), kivik.Param("since", "4"))
	defer changes.Close()
	var doc struct {
		Deleted bool `json:"_deleted"`
	}
	if !changes.Next() || changes.ScanDoc(&doc) != nil || !doc.Deleted {
		t.Errorf("include_docs: %+v, %v", doc, changes.Err())
	}
}

// TestLongPoll: it tells what is there, or waits for the first change and tells that; it ends where a later one has
// to go on, also when its time is over.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	db := createDB(t, openStore(t, Memory), "db")
	poll := func(since string, timeout int) (told []string, last string) {
		changes := db.Changes(t.Context(), kivik.Params(options{"feed": "longpoll", "since": since, "timeout": timeout}))
		for changes.Next() {
			told = append(told, describeChange(changes))
		}
		meta, err := changes.Metadata()
		if err != nil || changes.Err() != nil {
			t.Fatal(err, changes.Err())
		}
		return told, meta.LastSeq
	}
	if told, last := poll("0", 1); len(told) > 0 || last != "0" {
		t.Errorf("of nothing: %q up to %s", told, last)
	}
	put(t, db, "a", `{}`)
	put(t, db, "b", `{}`)
	if told, last := poll("0", 60_000); !slices.Equal(told, []string{"1 a 1", "2 b 1"}) || last != "2" {
		t.Errorf("of what is there: %q up to %s", told, last)
	}
	if told, last := poll("2", 1); len(told) > 0 || last != "2" {
		t.Errorf("of nothing new: %q up to %s", told, last)
	}
	go func() { _, _ = db.Put(t.Context(), "c", options{}) }()
	if told, last := poll("2", 60_000); !slices.Equal(told, []string{"3 c 1"}) || last != "3" {
		t.Errorf("of the next: %q up to %s", told, last)
	}
}

// TestLongPollIgnoresOtherDatabases waits for a write to its own database, and ends with its context.
func TestLongPollIgnoresOtherDatabases(t *testing.T) {
	t.Parallel()
	client := openStore(t, Memory)
	db, other := createDB(t, client, "db"), createDB(t, client, "other")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := kivik.Params(options{"feed": "longpoll", "since": "0"})
	go func() {
		_, _ = other.Put(ctx, "x", options{})
		_, _ = db.Put(ctx, "a", options{})
	}()
	changes := db.Changes(ctx, wait)
	if !changes.Next() || describeChange(changes) != "1 a 1" {
		t.Errorf("change is %s (%v)", describeChange(changes), changes.Err())
	}
	done := make(chan error)
	go func() { done <- db.Changes(ctx, wait, kivik.Param("since", "1")).Err() }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

func TestWaitingFeedHoldsNoTransaction(t *testing.T) {
	t.Parallel()
	db := driverDB(t)
	delivered := make(chan driver.Changes)
	go func() {
		f, err := db.Changes(t.Context(), options{"feed": "longpoll"})
		if err != nil {
			t.Error(err)
		}
		delivered <- f
	}()
	for deadline := time.Now().Add(time.Minute); db.bolt.Stats().TxN == 0 || db.bolt.Stats().OpenTxN > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("a read transaction stays open while the feed waits")
		}
	}
	if _, err := db.Put(t.Context(), "a", options{}, options{}); err != nil {
		t.Fatal(err)
	}
	if err := (<-delivered).Next(&driver.Change{}); err != nil {
		t.Error(err)
	}
}
