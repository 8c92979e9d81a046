package transfer

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"hash"
	"maps"
	"slices"

	"junctor/pkg/document"
)

// attachment is an attachment of a document in a file.
type attachment struct {
	Name        string `json:"-"`
	ContentType string `json:"content_type"`
	Length      int64  `json:"length"`
	// Digest is the MD5 of the content, spelled as CouchDB does. A CouchDB compresses texts, and then has the digest of
	// the compressed content.
	Digest string `json:"digest"`

	held []byte // the content, if it is small
}

// describe returns the "_attachments" of a document in a file.
func describe(all []*attachment) map[string]any {
	described := map[string]any{}
	for _, a := range all {
		described[a.Name] = map[string]any{"content_type": a.ContentType, "length": document.Number(a.Length), "digest": a.Digest}
	}
	return described
}

// described returns the attachments of a document in a file, in their order.
func described(doc document.Document) (all []*attachment, err error) {
	if doc["_attachments"] == nil {
		return nil, nil
	}
	text, err := document.Encode(doc["_attachments"])
	if err != nil {
		return nil, err
	}
	var byName map[string]*attachment
	if err := json.Unmarshal(text, &byName); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		byName[name].Name = name
		all = append(all, byName[name])
	}
	return all, nil
}

// contentReader takes the content of an attachment: its digest, its length, and the content itself, as long as it is not
// longer than most.
type contentReader struct {
	held   []byte // nil if it is not held
	most   int
	length int64
	sum    hash.Hash
}

func (c *contentReader) Write(p []byte) (int, error) {
	if c.sum == nil {
		c.sum = md5.New()
	}
	_, _ = c.sum.Write(p)
	c.length += int64(len(p))
	if c.held != nil {
		c.held = append(c.held, p...)
	}
	if len(c.held) > c.most {
		c.held = nil
	}
	return len(p), nil
}

// digest returns the digest of what was written.
func (c *contentReader) digest() string {
	sum := c.sum
	if sum == nil {
		sum = md5.New()
	}
	return "md5-" + base64.StdEncoding.EncodeToString(sum.Sum(nil))
}
