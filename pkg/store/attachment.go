package store

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"junctor/pkg/store/couchhttp"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/couchdb/chttp"
)

// Attachment reads an attachment whole.
func (s *Store) Attachment(ctx context.Context, db, id, name string) (content []byte, err error) {
	err = s.readAttachment(ctx, db, id, name, func(r io.Reader) (err error) {
		content, err = io.ReadAll(r)
		return err
	})
	return content, err
}

// CopyAttachment writes the content of an attachment to w. It takes as long as the content flows.
func (s *Store) CopyAttachment(ctx context.Context, db, id, name string, w io.Writer) error {
	return s.readAttachment(couchhttp.Unbounded(ctx), db, id, name, func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	})
}

func (s *Store) readAttachment(ctx context.Context, db, id, name string, read func(io.Reader) error) error {
	return s.call("attachment", db, func() error {
		a, err := s.client.DB(db).GetAttachment(ctx, id, s.attachmentName(name))
		if err != nil {
			return err
		}
		defer func() { _ = a.Content.Close() }()
		return read(a.Content)
	})
}

// attachmentName returns a name as kivik's driver expects it: that of a CouchDB puts it into a path as it is.
func (s *Store) attachmentName(name string) string {
	if s.couch == nil {
		return name
	}
	return url.PathEscape(name)
}

// NewAttachment is an attachment to be written.
type NewAttachment struct {
	Name, ContentType string
	Length            int64 // of the content, in bytes
	Content           io.Reader
}

// PutAttachment writes an attachment of a document over its revision rev, and returns the revision that this makes. The
// other attachments stay. Nothing is held in memory on the way to a CouchDB, and it takes as long as the content flows.
// On a CouchDB cluster it is not decided between two writers as Put does.
func (s *Store) PutAttachment(ctx context.Context, db, id, rev string, a NewAttachment) (newest string, err error) {
	content := io.NopCloser(a.Content)
	err = s.call("put_attachment", db, func() (err error) {
		if s.couch == nil {
			newest, err = s.client.DB(db).PutAttachment(ctx, id,
				&kivik.Attachment{Filename: a.Name, ContentType: a.ContentType, Content: content}, kivik.Rev(rev))
			return err
		}
		// kivik does not send the length of the content, which would then have to be read whole, see couchhttp.
		path := url.PathEscape(db) + "/" + chttp.EncodeDocID(id) + "/" + url.PathEscape(a.Name)
		var made struct{ Rev string }
		err = s.couch.DoJSON(couchhttp.Unbounded(ctx), http.MethodPut, path, &chttp.Options{
			Query: url.Values{"rev": {rev}}, ContentType: a.ContentType, ContentLength: a.Length, Body: content, NoGzip: true,
		}, &made)
		newest = made.Rev
		return err
	})
	return newest, err
}
