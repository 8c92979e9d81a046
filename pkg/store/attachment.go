package store

import (
	"context"
	"io"
	"net/url"

	"junctor/pkg/store/couchhttp"
)

// Attachment reads an attachment. It takes as long as the content flows. An attachment is written with its document, as
// "data" in "_attachments".
func (s *Store) Attachment(ctx context.Context, db, id, name string) (content []byte, err error) {
	err = s.call("attachment", db, func() error {
		a, err := s.client.DB(db).GetAttachment(couchhttp.Streamed(ctx), id, s.attachmentName(name))
		if err != nil {
			return err
		}
		defer func() { _ = a.Content.Close() }()
		content, err = io.ReadAll(a.Content)
		return err
	})
	return content, err
}

// attachmentName returns a name as kivik's driver expects it: that of a CouchDB puts it into a path as it is.
func (s *Store) attachmentName(name string) string {
	if s.couch == nil {
		return name
	}
	return url.PathEscape(name)
}
