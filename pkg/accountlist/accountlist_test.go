package accountlist_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/accountlist"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
	"junctor/pkg/store/storetest"
	"junctor/pkg/testutil"
)

// names returns the names of all accounts that match, by name.
func names(t *testing.T, l *accountlist.List, text string) string {
	t.Helper()
	accounts, err := l.Page(t.Context(), text, accountlist.Position{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, a := range accounts {
		list = append(list, a.Name)
	}
	return strings.Join(list, ",")
}

func id(n int) string { return fmt.Sprintf("%032x", n) }

// TestFollow: a list that follows the store has what others create, rename and delete, and lists the same as one that
// reads the store.
func TestFollow(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, "memory:")
	followed := accountlist.New(s, account.NewDirectory(s), time.Hour, zerolog.Nop())
	reading := accountlist.New(s, account.NewDirectory(s), time.Hour, zerolog.Nop())
	if got := names(t, reading, ""); got != "" {
		t.Errorf("without a database: %s", got)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		followed.Follow(t.Context())
	}()
	t.Cleanup(func() { <-done })
	if err := s.CreateDatabase(t.Context(), kazoo.Accounts); err != nil {
		t.Fatal(err)
	}
	revs := map[string]string{}
	write := func(n int, fields document.Document) {
		t.Helper()
		doc := document.Document{"_id": id(n), kazoo.FieldType: "account"}
		maps.Copy(doc, fields)
		if revs[doc.ID()] != "" {
			doc["_rev"] = revs[doc.ID()]
		}
		rev, err := s.Put(t.Context(), kazoo.Accounts, doc)
		if err != nil {
			t.Fatal(err)
		}
		revs[doc.ID()] = rev
	}
	write(1, document.Document{"name": "beta", "realm": "one.example"})
	write(2, document.Document{"name": "Alpha"})
	write(3, document.Document{"name": "alphabet"})
	testutil.Eventually(t, "the list", followed.FromMemory)
	check := func(want string) {
		t.Helper()
		testutil.Eventually(t, want, func() bool { return names(t, followed, "") == want })
		if got := names(t, reading, ""); got != want {
			t.Errorf("from the store: %s, want %s", got, want)
		}
	}
	check("Alpha,alphabet,beta")
	write(1, document.Document{"name": "aleph"})
	check("aleph,Alpha,alphabet")
	write(2, document.Document{"name": "Alpha", kazoo.FieldDeleted: true})
	check("aleph,alphabet")
	write(3, document.Document{"_deleted": true})
	check("aleph")
	for _, l := range []*accountlist.List{followed, reading} {
		found, err := l.Beginning(t.Context(), "ALE")
		if err != nil || len(found) != 1 || found[0].ID != id(1) {
			t.Errorf("beginning: %v, %v", found, err)
		}
	}
}

// counting counts the reads of a store.
type counting struct {
	*store.Store
	reads *atomic.Int64
}

// GetMany counts a read.
func (c counting) GetMany(ctx context.Context, db string, ids []string) (map[string]document.Document, error) {
	c.reads.Add(1)
	return c.Store.GetMany(ctx, db, ids)
}

// TestNames: names come from memory, and others in one read.
func TestNames(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, "memory:")
	if err := s.CreateDatabase(t.Context(), kazoo.Accounts); err != nil {
		t.Fatal(err)
	}
	var docs []document.Document
	var ids []string
	for n := range 50 {
		docs = append(docs, document.Document{"_id": id(n), kazoo.FieldType: "account", "name": fmt.Sprint("account ", n)})
		ids = append(ids, id(n))
	}
	if _, err := s.PutMany(t.Context(), kazoo.Accounts, docs); err != nil {
		t.Fatal(err)
	}
	c := counting{s, &atomic.Int64{}}
	l := accountlist.New(c, account.NewDirectory(s), time.Hour, zerolog.Nop())
	check := func(reads int64) {
		t.Helper()
		before := c.reads.Load()
		got, err := l.Names(t.Context(), append([]string{id(100)}, ids...))
		if err != nil || len(got) != len(ids) || got[id(7)] != "account 7" {
			t.Errorf("%d names, such as %q, error %v", len(got), got[id(7)], err)
		}
		if made := c.reads.Load() - before; made != reads {
			t.Errorf("%d reads, want %d", made, reads)
		}
	}
	check(1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Follow(t.Context())
	}()
	t.Cleanup(func() { <-done })
	testutil.Eventually(t, "the list", l.FromMemory)
	check(1) // for the one that does not exist
	before := c.reads.Load()
	if _, err := l.Names(t.Context(), slices.Clone(ids)); err != nil || c.reads.Load() != before {
		t.Errorf("%d reads of what is in memory, error %v", c.reads.Load()-before, err)
	}
}
