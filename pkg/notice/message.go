package notice

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
)

// What happened to a document, as notices name it.
const (
	created = "doc_created"
	edited  = "doc_edited"
	deleted = "doc_deleted"
)

// message is what Kazoo's kzs_publish sends. What is empty is left out, as there.
type message struct {
	ID          string `json:"ID"`
	OriginCache string `json:"Origin-Cache"`
	Type        string `json:"Type,omitempty"`
	Database    string `json:"Database"`
	Rev         string `json:"Rev,omitempty"`
	AccountID   string `json:"Account-ID,omitempty"`
	// Kazoo has the two dates the wrong way round, and so have we: Date-Modified is pvt_created.
	DateModified  json.Number `json:"Date-Modified,omitempty"`
	DateCreated   json.Number `json:"Date-Created,omitempty"`
	IsSoftDeleted bool        `json:"Is-Soft-Deleted"`
	EventCategory string      `json:"Event-Category"`
	EventName     string      `json:"Event-Name"`
	AppName       string      `json:"App-Name"`
	AppVersion    string      `json:"App-Version"`
	Node          string      `json:"Node"`
	MsgID         string      `json:"Msg-ID"`
}

// newMessage answers what any message about a document of db says.
func newMessage(node, db, id, kind, event string) message {
	return message{
		ID: id, Type: kind, Database: encodedDatabase(db), AccountID: accountOf(db), EventName: event,
		// Receivers make an atom of Origin-Cache, so it has to be a name that they know.
		OriginCache: "kazoo_data_cache", EventCategory: "configuration", AppName: "datamgr", AppVersion: "4.0.0",
		Node: node, MsgID: newMessageID(),
	}
}

// about answers the message for the write of doc. Of a document that is removed, before is what it was.
func about(node, db string, doc, before document.Document) message {
	event, source := edited, doc
	switch {
	case doc.Bool("_deleted"):
		event, source = deleted, before
	case doc.Bool("pvt_deleted"):
		event = deleted
	case doc.Rev() == "":
		event = created
	}
	m := newMessage(node, db, doc.ID(), source.String("pvt_type"), event)
	if id := source.String("pvt_account_id"); len(id) == accountIDLength {
		m.AccountID = id
	}
	m.DateModified, _ = source["pvt_created"].(json.Number)
	m.DateCreated, _ = source["pvt_modified"].(json.Number)
	m.IsSoftDeleted = source.Bool("pvt_deleted")
	return m
}

// flush answers the message that makes Kazoo's stepswitch forget which proxies the calls of an account leave
// through. It keeps them for an hour and drops them when a resource of the account changes, whichever that is,
// but not when a dedicated IP does.
func flush(node, db, id string) message { return newMessage(node, db, id, "resource", edited) }

// newMessageID answers what tells one notice from another; one that is sent again keeps it.
func newMessageID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// accountPrefix begins the names of account databases.
const accountPrefix = "account/"

// watched reports whether writes to a database are of interest to Kazoo.
func watched(db string) bool {
	return db == dedicatedip.Database || strings.HasPrefix(db, accountPrefix)
}

// encodedDatabase is how Kazoo spells the name of a database.
func encodedDatabase(db string) string { return strings.ReplaceAll(db, "/", "%2F") }

// decodedDatabase is how CouchDB spells it.
func decodedDatabase(encoded string) string { return strings.ReplaceAll(encoded, "%2F", "/") }

const accountIDLength = 32

// accountOf answers whose database it is: "account/20/d2/79…" is account 20d279…'s, and "…-202611" its month's.
func accountOf(db string) string {
	parts, ok := strings.CutPrefix(db, accountPrefix)
	id := strings.ReplaceAll(parts, "/", "")
	if !ok || len(id) < accountIDLength {
		return ""
	}
	return id[:accountIDLength]
}

// longestKey is what AMQP takes for a routing key.
const longestKey = 255

// key is the routing key. Only the id is encoded here: the name of the database is already, and stays.
func (m message) key() string {
	kind := m.Type
	if kind == "" {
		kind = "undefined"
	}
	return m.EventName + "." + m.Database + "." + kind + "." + encodeWord(m.ID)
}

// encodeWord makes one word of a routing key of any text (Kazoo: kz_amqp_util:encode).
func encodeWord(text string) string {
	if text == "*" || text == "#" {
		return text
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '~':
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
