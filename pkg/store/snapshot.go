package store

import (
	"context"
	"errors"

	"junctor/pkg/fault"
	"junctor/pkg/store/embedded"
)

// Snapshot returns an embedded store as it is now, see embedded.Snapshot. A CouchDB has none: fault.NotImplemented.
func (s *Store) Snapshot(ctx context.Context) (*embedded.Snapshot, error) {
	if s.file == nil {
		return nil, fault.Wrap(fault.NotImplemented, errors.New("a CouchDB can't be copied as a file"))
	}
	return s.file.Snapshot(ctx)
}
