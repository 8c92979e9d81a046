package embedded

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/go-kivik/kivik/v4/driver"
)

var errNoAttachment = &Error{http.StatusNotFound, "Document is missing attachment"}

func newAttachment(name, contentType string, data []byte) (attachment, error) {
	switch {
	case name == "" || strings.HasPrefix(name, "_"):
		return attachment{}, badRequest("Attachment name '%s' starts with prohibited character '_'", name)
	case len(name) > maxDocumentID:
		return attachment{}, badRequest("Attachment name is too long")
	case len(data) > maxAttachment:
		return attachment{}, &Error{http.StatusRequestEntityTooLarge, name}
	}
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	sum := md5.Sum(data)
	return attachment{
		Name:        name,
		ContentType: contentType,
		Digest:      "md5-" + base64.StdEncoding.EncodeToString(sum[:]),
		Length:      int64(len(data)),
		data:        append([]byte{}, data...), // never nil: an empty file is one too
	}, nil
}

// stub is how a document shows an attachment.
type stub struct {
	ContentType string `json:"content_type"`
	RevPos      int64  `json:"revpos"`
	Digest      string `json:"digest"`
	Length      int64  `json:"length"`
	Stub        bool   `json:"stub"`
}

func fileKey(id, name string) []byte {
	return append(appendBytes(nil, []byte(id)), name...)
}

// putFiles stores the attachments that a record brings and removes those that are only in the one before.
func (c contents) putFiles(id string, r, before *record) error {
	b := c.part(attachmentsBucket)
	if before != nil {
		for _, a := range before.atts {
			if _, stays := r.attachmentOf(a.Name); stays {
				continue
			}
			if err := b.Delete(fileKey(id, a.Name)); err != nil {
				return err
			}
		}
	}
	for _, a := range r.atts {
		if a.data == nil {
			continue
		}
		if err := b.Put(fileKey(id, a.Name), a.data); err != nil {
			return err
		}
	}
	return nil
}

// GetAttachment reads an attachment of a document.
func (d *database) GetAttachment(ctx context.Context, id, name string, options driver.Options) (
	*driver.Attachment, error,
) {
	if err := readOptions(options, &struct{}{}); err != nil {
		return nil, err
	}
	var file *driver.Attachment
	err := d.read(ctx, func(c contents) error {
		r, err := c.leaf(id, "")
		if err != nil {
			return err
		}
		a, ok := r.attachmentOf(name)
		if !ok {
			return errNoAttachment
		}
		data := bytes.Clone(c.part(attachmentsBucket).Get(fileKey(id, name)))
		file = &driver.Attachment{
			Filename:    a.Name,
			ContentType: a.ContentType,
			Content:     reader(data),
			Size:        a.Length,
			RevPos:      a.RevPos,
			Digest:      a.Digest,
		}
		return nil
	})
	return file, err
}
