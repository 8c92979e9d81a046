package embedded

import (
	"context"

	"github.com/go-kivik/kivik/v4/driver"
)

// What kivik's interfaces ask of every driver and pkg/store never calls. kivik itself responds with a 501 for the
// interfaces that this driver does not implement.

// Version is not supported: the store implements a part of CouchDB, and of no particular version.
func (*client) Version(context.Context) (*driver.Version, error) { return nil, notSupported("Version") }

// DestroyDB is not supported.
func (*client) DestroyDB(context.Context, string, driver.Options) error {
	return notSupported("DestroyDB")
}

// Compact is not supported: bbolt reuses the space of deleted rows by itself.
func (*database) Compact(context.Context) error { return notSupported("Compact") }

// CompactView is not supported, for the same reason.
func (*database) CompactView(context.Context, string) error { return notSupported("CompactView") }

// ViewCleanup is not supported: an index goes with its design document.
func (*database) ViewCleanup(context.Context) error { return notSupported("ViewCleanup") }

// PutAttachment is not supported: an attachment is written with its document.
func (*database) PutAttachment(context.Context, string, *driver.Attachment, driver.Options) (string, error) {
	return "", notSupported("PutAttachment")
}

// DeleteAttachment is not supported: an attachment is removed by writing its document without it.
func (*database) DeleteAttachment(context.Context, string, string, driver.Options) (string, error) {
	return "", notSupported("DeleteAttachment")
}
