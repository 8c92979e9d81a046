package store

import (
	"context"
	"encoding/json"
)

// Text reads a document as the store spells it. In some of Kazoo's documents the order of the names in an object
// has a meaning, which a Document does not keep. It is for reading only: the embedded store sorts what it is given.
func (s *Store) Text(ctx context.Context, db, id string) (text []byte, err error) {
	err = s.call("get", db, func() error {
		var raw json.RawMessage
		if err := s.client.DB(db).Get(ctx, id).ScanDoc(&raw); err != nil {
			return err
		}
		text = raw
		return nil
	})
	return text, err
}
