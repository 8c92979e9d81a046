// Package kiviktest runs kivik's own driver tests against the embedded store. It is a module of its own because
// those tests need packages that junctor does not; run it with `go test` in this folder.
package kiviktest

import (
	"net/http"
	"testing"

	_ "github.com/go-kivik/kivik/v4/kiviktest/client" // registers its tests
	_ "github.com/go-kivik/kivik/v4/kiviktest/db"     // registers its tests
	"github.com/go-kivik/kivik/v4/kiviktest/kt"

	"junctor/pkg/store/embedded"
)

// answers are what the tests cannot know of a driver. Where kivik's suite for CouchDB 3 says the same thing, the
// value is the same.
var answers = kt.SuiteConfig{
	"AllDBs.expected": []string{"_users"},

	"AllDocs.databases":            []string{"_users", "chicken"},
	"AllDocs/Admin/_users.offset":  0,
	"AllDocs/Admin/chicken.status": http.StatusNotFound,

	"BulkDocs/RW/Admin/Mix/Conflict.status": http.StatusConflict,

	"CreateDB/RW/Admin/Recreate.status": http.StatusPreconditionFailed,

	"DBExists.databases":            []string{"_users", "chicken"},
	"DBExists/Admin/_users.exists":  true,
	"DBExists/Admin/chicken.exists": false,
	"DBExists/RW/Admin.exists":      true,

	"Delete/RW/Admin/MissingDoc.status":       http.StatusNotFound,
	"Delete/RW/Admin/InvalidRevFormat.status": http.StatusBadRequest,
	"Delete/RW/Admin/WrongRev.status":         http.StatusConflict,

	"DeleteAttachment/RW/Admin/NotFound.status": http.StatusNotFound,
	"DeleteAttachment/RW/Admin/NoDoc.status":    http.StatusConflict,

	"DestroyDB/RW/Admin/NonExistantDB.status": http.StatusNotFound,

	"Get/RW/Admin/bogus.status":                      http.StatusNotFound,
	"GetRev/RW/Admin/bogus.status":                   http.StatusNotFound,
	"GetAttachment/RW/Admin/foo/NotFound.status":     http.StatusNotFound,
	"GetAttachmentMeta/RW/Admin/foo/NotFound.status": http.StatusNotFound,

	"Put/RW/Admin/LeadingUnderscoreInID.status": http.StatusBadRequest,
	"Put/RW/Admin/Conflict.status":              http.StatusConflict,
	"PutAttachment/RW/Admin/Conflict.status":    http.StatusConflict,

	"Query/RW/Admin/WithoutDocs/ScanDoc.status": http.StatusBadRequest,

	"Stats.databases":            []string{"_users", "chicken"},
	"Stats/Admin/chicken.status": http.StatusNotFound,

	"Version.version": `^1$`,
	"Version.vendor":  `^junctor$`,
}

// notSupported is what the embedded store leaves out, with the reason. A test that can check for the 501 does;
// the others are skipped.
var notSupported = kt.SuiteConfig{
	// bbolt uses free space again by itself, and an index goes with its design document.
	"Compact.status":     http.StatusNotImplemented,
	"ViewCleanup.status": http.StatusNotImplemented,

	// An answered write is on disk, there is nothing to flush.
	"Flush.skip": true,

	// The tests copy with a revision that is no longer the last one; as on a compacted CouchDB there is none.
	"Copy/RW/Admin/foo/RevCopy.skip":         true,
	"Copy/RW/Admin/_local/foo/RevCopy.skip":  true,
	"Copy/RW/Admin/_design/foo/RevCopy.skip": true,

	// Nobody but this process reaches the store, so it has no users to keep out.
	"Security.skip":    true,
	"SetSecurity.skip": true,

	// Kazoo asks views; Mango queries would be a second query language.
	"Find.skip":        true,
	"Explain.skip":     true,
	"CreateIndex.skip": true,
	"GetIndexes.skip":  true,
	"DeleteIndex.skip": true,

	// Replication needs revision trees.
	"Replicate.skip":       true,
	"GetReplications.skip": true,

	// The test writes three revisions of a document before it reads the feed, and wants to see them all. A feed
	// promises the last one; which others a CouchDB shows is a matter of time.
	"Changes/Continuous.skip": true,

	// A feed over all databases is not needed.
	"DBUpdates.skip": true,
}

func TestKivik(t *testing.T) {
	client, err := embedded.Open(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := client.CreateDB(t.Context(), "_users"); err != nil {
		t.Fatal(err)
	}
	config := kt.SuiteConfig{}
	for _, part := range []kt.SuiteConfig{answers, notSupported} {
		for key, value := range part {
			config[key] = value
		}
	}
	kt.RunSubtests(t, &kt.Context{RW: true, Admin: client, Config: config})
}
