package store

import (
	"context"
	"errors"
	"io"

	"junctor/pkg/fault"
)

// Snapshot writes an embedded store as it is now to what to returns, see embedded.Client. A CouchDB has none:
// fault.NotImplemented.
func (s *Store) Snapshot(ctx context.Context, to func(size int64) (io.Writer, error)) error {
	if s.file == nil {
		return fault.Wrap(fault.NotImplemented, errors.New("a CouchDB can't be copied as a file"))
	}
	return s.file.Snapshot(ctx, to)
}
