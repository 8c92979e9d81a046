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
)

// record is the one leaf that a document has: there is no replication, hence no branches, and of older revisions
// only the last one's name is known.
type record struct {
	seq     uint64
	rev     string
	deleted bool
	body    []byte // the document without CouchDB's own members, compact JSON spelled as it was sent
	atts    []attachment
}

// attachment is what a document says of a file. data is set on the way in; it is kept apart from the record.
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

// encode lays a record out: sequence, deleted or not, revision, attachments, body.
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

// clone makes a record outlive the transaction it was read in.
func (r *record) clone() *record {
	if r == nil {
		return nil
	}
	c := *r
	c.body = bytes.Clone(r.body)
	return &c
}

// attachmentOf finds an attachment by its name.
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

// document is the JSON that a reader gets, with a stub for each attachment.
func (r *record) document(id string) []byte {
	b := append([]byte(`{"_id":`), quote(id)...)
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
		b = append(append(append(b, quote(a.Name)...), ':'), stub...)
	}
	if len(r.atts) > 0 {
		b = append(b, '}')
	}
	return append(b, '}')
}

// nextRev names the revision that follows another, from what it holds and what it follows. As in CouchDB the id
// is no part of it, so equal histories have equal revisions.
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

// generation is the number in front of the revision, 0 where nothing was ever stored.
func (r *record) generation() int64 {
	if r == nil {
		return 0
	}
	number, _, _ := strings.Cut(r.rev, "-")
	n, _ := strconv.ParseInt(number, 10, 64) // our own spelling
	return n
}

func quote(s string) []byte {
	if isPlain(s) {
		return append(append([]byte{'"'}, s...), '"')
	}
	raw, _ := encodeJSON(s) // a string: it cannot fail
	return raw
}

// appendBytes appends a piece with its length in front; cutBytes takes it off again.
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

// revision is the record's revision, or nothing where there is no record.
func (r *record) revision() string {
	if r == nil {
		return ""
	}
	return r.rev
}
