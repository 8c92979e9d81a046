package transfer

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"

	"junctor/pkg/document"
)

// The attachments of a document in a file have their content in them, as CouchDB takes it from a client:
// {"NAME":{"content_type":"…","data":"BASE64"}}. In a store a document has a stub for each.

// newAttachment returns the attachment of a stub.
func newAttachment(stub any, content []byte) map[string]any {
	fields, _ := stub.(map[string]any)
	return map[string]any{
		"content_type": document.Document(fields).String("content_type"),
		"data":         base64.StdEncoding.EncodeToString(content),
	}
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
	content, err := base64.StdEncoding.DecodeString(document.Document(own).String("data"))
	if err != nil || stored == nil || own["content_type"] != stored["content_type"] ||
		int64(len(content)) != lengthOf(stub) {
		return false, nil
	}
	sum := md5.Sum(content)
	if stored["digest"] == "md5-"+base64.StdEncoding.EncodeToString(sum[:]) {
		return true, nil
	}
	found, err := read()
	return bytes.Equal(found, content), err
}
