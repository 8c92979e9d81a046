package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// openExample opens an embedded store in a temporary folder. Any other DSN works the same, such as "memory:" or
// "http://user:password@127.0.0.1:5984".
func openExample() (s *store.Store, remove func()) {
	folder, err := os.MkdirTemp("", "junctor-example")
	if err != nil {
		log.Fatal(err)
	}
	s, err = store.Open(filepath.Join(folder, "data"), store.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return s, func() {
		if err := errors.Join(s.Close(), os.RemoveAll(folder)); err != nil {
			log.Fatal(err)
		}
	}
}

// A document is written with the revision that was read. If another writer was first, the write is a conflict, and
// nothing has changed.
func Example() {
	ctx := context.Background()
	s, remove := openExample()
	defer remove()

	if err := s.CreateDatabase(ctx, "phones"); err != nil {
		log.Fatal(err)
	}
	if _, err := s.Put(ctx, "phones", document.Document{"_id": "d40", "room": "101"}); err != nil {
		log.Fatal(err)
	}

	mine, err := s.Get(ctx, "phones", "d40")
	if err != nil {
		log.Fatal(err)
	}
	theirs := mine.Clone()
	theirs["room"] = "102"
	if _, err := s.Put(ctx, "phones", theirs); err != nil {
		log.Fatal(err)
	}
	mine["room"] = "103"
	_, err = s.Put(ctx, "phones", mine)
	fmt.Println("conflict:", fault.Is(err, fault.Conflict))

	stored, err := s.Get(ctx, "phones", "d40")
	fmt.Println("room:", stored.String("room"), err)

	_, err = s.Get(ctx, "phones", "lobby")
	fmt.Println("missing document:", fault.Is(err, fault.BadIdentifier))
	// Output:
	// conflict: true
	// room: 102 <nil>
	// missing document: true
}

// Update reads, changes and writes a document, and starts over if another writer was between.
func ExampleStore_Update() {
	ctx := context.Background()
	s, remove := openExample()
	defer remove()
	if err := s.CreateDatabase(ctx, "phones"); err != nil {
		log.Fatal(err)
	}

	for range 3 {
		_, err := s.Update(ctx, "phones", "calls", func(doc document.Document) error {
			n, _ := doc.Int("count")
			doc["count"] = document.Number(n + 1)
			return nil
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	doc, err := s.Get(ctx, "phones", "calls")
	fmt.Println(doc["count"], err)
	// Output: 3 <nil>
}

// A view is a JavaScript function in a design document, on both stores. The files of this project are in
// couchdb-views.
func ExampleStore_View() {
	ctx := context.Background()
	s, remove := openExample()
	defer remove()
	files := fstest.MapFS{"phones.json": {Data: []byte(`{
		"_id": "_design/phones",
		"language": "javascript",
		"views": {"by_room": {"map": "function(doc) { if (doc.room) emit(doc.room, doc.owner); }"}}
	}`)}}
	if err := s.CreateDatabase(ctx, "phones"); err != nil {
		log.Fatal(err)
	}
	if err := store.InstallFile(ctx, s, "phones", files, "phones.json"); err != nil {
		log.Fatal(err)
	}
	written, err := s.PutMany(ctx, "phones", []document.Document{
		{"_id": "d40", "room": "102", "owner": "ada"},
		{"_id": "wall", "room": "101", "owner": "bob"},
		{"_id": "spare"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("written:", len(written))

	err = s.View(ctx, "phones", "phones", "by_room", store.Query{StartKey: "101"}, func(row store.Row) error {
		var room, owner string
		if err := errors.Join(row.Key(&room), row.Value(&owner)); err != nil {
			return err
		}
		fmt.Println(room, row.ID(), owner)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// written: 3
	// 101 wall bob
	// 102 d40 ada
}
