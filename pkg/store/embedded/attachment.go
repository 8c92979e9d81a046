package embedded

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
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

// description is how a document shows a file that comes elsewhere: as a stub, or following in the iterator.
type description struct {
	ContentType string `json:"content_type"`
	RevPos      int64  `json:"revpos"`
	Digest      string `json:"digest"`
	Length      int64  `json:"length"`
	Stub        bool   `json:"stub,omitempty"`
	Follows     bool   `json:"follows,omitempty"`
}

func asStub(a attachment) any {
	return description{a.ContentType, a.RevPos, a.Digest, a.Length, true, false}
}

func asFollowing(a attachment) any {
	return description{a.ContentType, a.RevPos, a.Digest, a.Length, false, true}
}

func fileKey(id, name string) []byte {
	return append(appendBytes(nil, []byte(id)), name...)
}

// putFiles stores the files a change brings and removes those it drops.
func (c contents) putFiles(ch change) error {
	b := c.part(attachmentsBucket)
	if ch.before != nil {
		for _, a := range ch.before.atts {
			if _, stays := ch.after.attachmentOf(a.Name); stays {
				continue
			}
			if err := b.Delete(fileKey(ch.id, a.Name)); err != nil {
				return err
			}
		}
	}
	for _, a := range ch.after.atts {
		if a.data == nil {
			continue
		}
		if err := b.Put(fileKey(ch.id, a.Name), a.data); err != nil {
			return err
		}
	}
	return nil
}

// documentWithFiles is what kivik's couch driver makes of CouchDB's multipart answer: the document says that its
// files follow, and they do.
func (c contents) documentWithFiles(id string, r *record) *driver.Document {
	files := make(fileList, len(r.atts))
	for i, a := range r.atts {
		files[i] = a.answer(c.file(id, a.Name))
		files[i].Follows = true
	}
	return &driver.Document{Rev: r.rev, Body: reader(r.document(id, asFollowing)), Attachments: &files}
}

func (c contents) file(id, name string) []byte {
	return bytes.Clone(c.part(attachmentsBucket).Get(fileKey(id, name)))
}

func (a attachment) answer(data []byte) *driver.Attachment {
	return &driver.Attachment{
		Filename:    a.Name,
		ContentType: a.ContentType,
		Content:     reader(data),
		Size:        a.Length,
		RevPos:      a.RevPos,
		Digest:      a.Digest,
	}
}

// fileList iterates over the files of a document.
type fileList []*driver.Attachment

// Next takes the first file off the list.
func (l *fileList) Next(att *driver.Attachment) error {
	if len(*l) == 0 {
		return io.EOF
	}
	*att = *(*l)[0]
	*l = (*l)[1:]
	return nil
}

// Close has nothing to release.
func (*fileList) Close() error { return nil }

// GetAttachment reads a file of a document.
func (d *database) GetAttachment(ctx context.Context, id, name string, options driver.Options) (
	*driver.Attachment, error,
) {
	return d.attachment(ctx, id, name, options, contents.file)
}

// GetAttachmentMeta tells what GetAttachment would, without the content.
func (d *database) GetAttachmentMeta(ctx context.Context, id, name string, options driver.Options) (
	*driver.Attachment, error,
) {
	return d.attachment(ctx, id, name, options, func(contents, string, string) []byte { return nil })
}

func (d *database) attachment(ctx context.Context, id, name string, options driver.Options,
	content func(c contents, id, name string) []byte,
) (*driver.Attachment, error) {
	var rev string
	p := readParams(options)
	p.text(&rev, "rev")
	if err := p.unsupported(); err != nil {
		return nil, err
	}
	var file *driver.Attachment
	err := d.read(ctx, func(c contents) error {
		r, err := c.leaf(id, rev)
		if err != nil {
			return err
		}
		a, ok := r.attachmentOf(name)
		if !ok {
			return errNoAttachment
		}
		file = a.answer(content(c, id, name))
		return nil
	})
	return file, err
}

// PutAttachment adds a file to a document, which it creates if there is none, or replaces one.
func (d *database) PutAttachment(ctx context.Context, id string, att *driver.Attachment, options driver.Options) (
	string, error,
) {
	if att == nil || att.Content == nil {
		return "", badRequest("an attachment needs content")
	}
	data, err := readLimited(att.Content, att.Filename)
	if err != nil {
		return "", err
	}
	file, err := newAttachment(att.Filename, att.ContentType, data)
	if err != nil {
		return "", err
	}
	return d.editFiles(ctx, id, options, func(files []attachment) ([]attachment, error) {
		return append(without(files, file.Name), file), nil
	})
}

// DeleteAttachment removes a file from a document.
func (d *database) DeleteAttachment(ctx context.Context, id, name string, options driver.Options) (string, error) {
	return d.editFiles(ctx, id, options, func(files []attachment) ([]attachment, error) {
		left := without(files, name)
		if len(left) == len(files) {
			return nil, errNoAttachment
		}
		return left, nil
	})
}

// editFiles writes a document anew with other files.
func (d *database) editFiles(ctx context.Context, id string, options driver.Options,
	change func([]attachment) ([]attachment, error),
) (string, error) {
	var rev string
	p := readParams(options)
	p.text(&rev, "rev")
	if err := p.unsupported(); err != nil {
		return "", err
	}
	rev, err := expectRev("", rev)
	if err != nil {
		return "", err
	}
	if isLocal(id) {
		return "", notSupported("an attachment of a _local document")
	}
	return d.commitOne(ctx, edit{id: id, against: func(current *record) (*record, error) {
		if err := checkBase(current, rev, false); err != nil {
			return nil, err
		}
		next := &record{body: []byte("{}")}
		if current != nil && !current.deleted {
			next.body, next.atts = current.body, current.atts
		}
		next.atts, err = change(next.atts)
		return next, err
	}})
}

func without(files []attachment, name string) []attachment {
	return slices.DeleteFunc(slices.Clone(files), func(a attachment) bool { return a.Name == name })
}
