package transfer

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"

	"junctor/pkg/document"
)

// attachment is an attachment in a file. In a store a document has a stub for each.
type attachment struct {
	ContentType string `json:"content_type"`
	Data        []byte `json:"data"`
}

// attach gives a document attachments, as a store takes them.
func attach(doc document.Document, attachments map[string]attachment) {
	fields := make(map[string]any, len(attachments))
	for name, a := range attachments {
		fields[name] = map[string]any{"content_type": a.ContentType, "data": a.Data}
	}
	doc["_attachments"] = fields
}

// lengthOf returns how many bytes the attachment of a stub has.
func lengthOf(stub any) int64 {
	fields, _ := stub.(map[string]any)
	length, _ := document.Document(fields).Int("length")
	return length
}

// sameAttachment reports whether an attachment is the one of a stub. read reads that. It is called if the digests differ:
// a CouchDB compresses texts, and then has the digest of the compressed content.
func sameAttachment(attachment, stub any, read func() ([]byte, error)) (bool, error) {
	own, _ := attachment.(map[string]any)
	stored, _ := stub.(map[string]any)
	content, _ := own["data"].([]byte)
	if stored == nil || own["content_type"] != stored["content_type"] || int64(len(content)) != lengthOf(stub) {
		return false, nil
	}
	sum := md5.Sum(content)
	if stored["digest"] == "md5-"+base64.StdEncoding.EncodeToString(sum[:]) {
		return true, nil
	}
	found, err := read()
	return bytes.Equal(found, content), err
}
