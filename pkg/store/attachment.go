package store

import (
	"context"
	"io"
	"net/url"

	"junctor/pkg/store/couchhttp"
)

// Attachment reads an attachment. An attachment is written with its document, as "data" in "_attachments".
func (s *Store) Attachment(ctx context.Context, db, id, name string) ([]byte, error) {
	content, err := s.OpenAttachment(ctx, db, id, name)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	return text, classify("attachment", db, err)
}

// OpenAttachment returns a reader of an attachment, which may take as long as the content flows.
func (s *Store) OpenAttachment(ctx context.Context, db, id, name string) (content io.ReadCloser, err error) {
	err = s.call("attachment", db, func() error {
		a, err := s.client.DB(db).GetAttachment(couchhttp.Streamed(ctx), id, s.attachmentName(name))
		if err == nil {
			content = a.Content
		}
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
