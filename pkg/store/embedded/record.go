package embedded

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"junctor/pkg/document"
)

// record is the current revision of a document. There is no replication, hence there are no branches, and older revisions
// are not stored.
type record struct {
	seq     uint64
	rev     string
	deleted bool
	body    []byte // the document without CouchDB's own members, as compact JSON
	atts    []attachment
}

// attachment describes an attachment. data is set if it is to be stored; it is not part of the record.
type attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Digest      string `json:"digest"`
	Length      int64  `json:"length"`
	RevPos      int64  `json:"revpos"`
	data        []byte
}

func (r *record) bucket() []byte {
	if r.deleted {
		return deletedBucket
	}
	return docsBucket
}

// encode returns the stored form of a record: sequence, deleted or not, revision, attachments, body.
func (r *record) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, r.seq)
	var deleted byte
	if r.deleted {
		deleted = 1
	}
	b = append(b, deleted)
	b = appendBytes(b, []byte(r.rev))
	var atts []byte
	if len(r.atts) > 0 {
		atts, _ = json.Marshal(r.atts) // strings and numbers: it cannot fail
	}
	return append(appendBytes(b, atts), r.body...)
}

var errCorrupt = errors.New("a record of the store is damaged: restore it from a backup")

func decodeRecord(raw []byte) (*record, error) {
	const fixed = 9
	if len(raw) < fixed {
		return nil, errCorrupt
	}
	r := &record{seq: binary.BigEndian.Uint64(raw), deleted: raw[8] == 1}
	rev, rest, ok := cutBytes(raw[fixed:])
	atts, body, ok2 := cutBytes(rest)
	if !ok || !ok2 {
		return nil, errCorrupt
	}
	r.rev, r.body = string(rev), body
	if len(atts) == 0 {
		return r, nil
	}
	return r, json.Unmarshal(atts, &r.atts)
}

// clone returns a copy that outlives the transaction.
func (r *record) clone() *record {
	if r == nil {
		return nil
	}
	c := *r
	c.body = bytes.Clone(r.body)
	return &c
}

// attachmentOf returns an attachment by its name.
func (r *record) attachmentOf(name string) (attachment, bool) {
	if r == nil {
		return attachment{}, false
	}
	for _, a := range r.atts {
		if a.Name == name {
			return a, true
		}
	}
	return attachment{}, false
}

// document returns the JSON of the document, with a stub for each attachment.
func (r *record) document(id string) []byte {
	b := document.AppendString([]byte(`{"_id":`), id)
	b = append(b, `,"_rev":"`+r.rev+`"`...)
	if len(r.body) > len("{}") {
		b = append(b, ',')
		b = append(b, r.body[1:len(r.body)-1]...)
	}
	if r.deleted {
		b = append(b, `,"_deleted":true`...)
	}
	for i, a := range r.atts {
		b = append(b, map[bool]string{true: `,"_attachments":{`, false: `,`}[i == 0]...)
		stub, _ := json.Marshal(stub{a.ContentType, a.RevPos, a.Digest, a.Length, true}) // it cannot fail
		b = append(append(document.AppendString(b, a.Name), ':'), stub...)
	}
	if len(r.atts) > 0 {
		b = append(b, '}')
	}
	return append(b, '}')
}

// nextRev returns the revision of r as the successor of before. As in CouchDB it does not depend on the id, so equal
// histories have equal revisions.
func (r *record) nextRev(before *record) string {
	var previous string
	if before != nil {
		previous = before.rev
	}
	h := md5.New()
	fmt.Fprintf(h, "%t\x00%s\x00", r.deleted, previous)
	h.Write(r.body)
	for _, a := range r.atts {
		fmt.Fprintf(h, "\x00%s\x00%s\x00%s", a.Name, a.ContentType, a.Digest)
	}
	return strconv.FormatInt(before.generation()+1, 10) + "-" + hex.EncodeToString(h.Sum(nil))
}

// generation returns the number at the beginning of the revision, 0 for no record.
func (r *record) generation() int64 {
	if r == nil {
		return 0
	}
	number, _, _ := strings.Cut(r.rev, "-")
	n, _ := strconv.ParseInt(number, 10, 64) // our own spelling
	return n
}

// appendBytes appends a piece after its length. cutBytes reads it back.
func appendBytes(b, piece []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(piece))), piece...)
}

func cutBytes(b []byte) (piece, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	b = b[size:]
	return b[:n], b[n:], true
}
