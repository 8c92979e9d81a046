package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"junctor/pkg/document"
	"junctor/pkg/store"
)

// plan is what is to be done with a document that has attachments.
type plan struct {
	rev     string          // of the document that the store has now
	missing map[string]bool // the attachments to write, by name
	written bool            // something was
	refusal string          // why the document is not imported; empty if it is
}

// withAttachments writes a document, and then each of its attachments, unless the store has them. If the store has the
// document with some of its attachments, an earlier import was interrupted, and the others are added.
func (i *importer) withAttachments(ctx context.Context, doc document.Document) error {
	if err := i.flush(ctx); err != nil {
		return err
	}
	attachments, err := described(doc)
	if err != nil {
		return fmt.Errorf("%w (%w)", errForeign, err)
	}
	delete(doc, "_attachments")
	p, err := i.plan(ctx, doc, attachments)
	if err != nil {
		return err
	}
	for _, a := range attachments {
		content := &lineContent{lines: i.lines, left: a.Length}
		if p.refusal == "" && p.missing[a.Name] {
			if err := i.attachment(ctx, doc.ID(), p, a, content); err != nil {
				return err
			}
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return err
		}
		i.done.Attachments++
		i.progress()
	}
	switch {
	case p.refusal != "":
		i.refuse(doc.ID(), p.refusal)
	case p.written:
		i.done.Written++
	default:
		i.done.Unchanged++
	}
	return nil
}

// plan compares a document with the one in the store, and writes it without attachments if the store has none or
// another one.
func (i *importer) plan(ctx context.Context, doc document.Document, attachments []*attachment) (*plan, error) {
	id := doc.ID()
	there, err := i.target.GetMany(ctx, i.db, []string{id})
	if err != nil {
		return nil, err
	}
	p, stored := &plan{}, there[id]
	same := stored != nil && sameDocument(doc, stored)
	if same {
		if p.missing, same, err = i.compare(ctx, stored, attachments); err != nil {
			return nil, err
		}
	}
	switch {
	case same:
		p.rev = stored.Rev()
		return p, nil
	case stored != nil && !i.options.Overwrite:
		p.refusal = differs(doc, stored)
		return p, nil
	case stored != nil:
		doc["_rev"] = stored.Rev()
	}
	p.missing = map[string]bool{}
	for _, a := range attachments {
		p.missing[a.Name] = true
	}
	p.rev, err = i.target.Put(ctx, i.db, doc)
	p.written = err == nil
	p.refusal, err = i.refusal(id, err)
	return p, err
}

// compare compares attachments with those of a document in the store. Those that the store does not have are missing.
// It reports false if the store has others, or one with another content.
func (i *importer) compare(ctx context.Context, stored document.Document, attachments []*attachment) (
	missing map[string]bool, same bool, err error,
) {
	stubs, _ := stored["_attachments"].(map[string]any)
	missing = map[string]bool{}
	for _, a := range attachments {
		stub, found := stubs[a.Name].(map[string]any)
		if !found {
			missing[a.Name] = true
			continue
		}
		if same, err := i.sameAttachment(ctx, stored.ID(), stub, a); err != nil || !same {
			return nil, false, err
		}
	}
	return missing, len(stubs) == len(attachments)-len(missing), nil
}

// sameAttachment compares an attachment with one of the store. It is read if the digests differ, which may be due to
// compression.
func (i *importer) sameAttachment(ctx context.Context, id string, stub document.Document, a *attachment) (bool, error) {
	length, _ := stub.Int("length")
	if stub.String("content_type") != a.ContentType || length != a.Length {
		return false, nil
	}
	if stub.String("digest") == a.Digest {
		return true, nil
	}
	var content contentReader
	err := i.target.CopyAttachment(ctx, i.db, id, a.Name, &content)
	return content.digest() == a.Digest, err
}

// attachment writes an attachment.
func (i *importer) attachment(ctx context.Context, id string, p *plan, a *attachment, content *lineContent) error {
	body := &detachable{r: content}
	rev, err := i.target.PutAttachment(ctx, i.db, id, p.rev,
		store.NewAttachment{Name: a.Name, ContentType: a.ContentType, Length: a.Length, Content: body})
	body.detach()
	if content.err != nil {
		return content.err
	}
	if err == nil {
		p.rev, p.written = rev, true
	}
	if p.refusal, err = i.refusal(id, err); p.refusal != "" {
		p.refusal = "it is there without its attachment " + a.Name + ": " + p.refusal
	}
	return err
}

// lineContent reads the content of an attachment from the lines of a file.
type lineContent struct {
	lines *lineReader
	left  int64 // bytes in the lines to come
	part  []byte
	err   error // of the file
}

func (c *lineContent) Read(p []byte) (int, error) {
	if len(c.part) == 0 && c.err == nil {
		if c.left == 0 {
			return 0, io.EOF
		}
		c.part, c.err = c.next()
		c.left -= int64(len(c.part))
	}
	if c.err != nil {
		return 0, c.err
	}
	n := copy(p, c.part)
	c.part = c.part[n:]
	return n, nil
}

func (c *lineContent) next() ([]byte, error) {
	text, err := c.lines.next()
	if err != nil {
		return nil, err
	}
	var l line
	if text == nil || json.Unmarshal(text, &l) != nil || len(l.Content) == 0 || int64(len(l.Content)) > c.left {
		return nil, errForeign
	}
	return l.Content, nil
}

// detachable is the body of a request. net/http may go on reading a body after there is a response.
type detachable struct {
	mu sync.Mutex
	r  io.Reader // nil once it is detached
}

func (d *detachable) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.r == nil {
		return 0, io.ErrClosedPipe
	}
	return d.r.Read(p)
}

func (d *detachable) detach() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.r = nil
}
