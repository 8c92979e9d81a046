package notify

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// What happened to a document, as messages name it.
const (
	created = "doc_created"
	edited  = "doc_edited"
	deleted = "doc_deleted"
)

// message is what Kazoo's kzs_publish sends. Empty fields are left out, as there.
type message struct {
	ID          string `json:"ID"`
	OriginCache string `json:"Origin-Cache"`
	Type        string `json:"Type,omitempty"`
	Database    string `json:"Database"`
	Rev         string `json:"Rev,omitempty"`
	AccountID   string `json:"Account-ID,omitempty"`
	// Kazoo has the two dates the wrong way round, and so does this: Date-Modified is pvt_created.
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

// newMessage returns the part that every message about a document of db has. A message that is sent again keeps its id,
// which has Kazoo's shape.
func newMessage(node, db, id, kind, event string) message {
	return message{
		ID: id, Type: kind, Database: strings.ReplaceAll(db, "/", "%2F"), AccountID: accountOf(db), EventName: event,
		// Receivers make an atom of Origin-Cache, so it has to be a name that they know.
		OriginCache: "kazoo_data_cache", EventCategory: "configuration", AppName: "datamgr", AppVersion: "4.0.0",
		Node: node, MsgID: fmt.Sprintf("%016x", rand.Uint64()),
	}
}

// about returns the message about a document of db after a change. A removed one, nil or with "_deleted", is described
// by what it was before, if that is known.
func about(node, db, id string, doc, before document.Document, isNew bool) message {
	event, kind := edited, doc.String(kazoo.FieldType)
	switch {
	case doc == nil || doc.Bool("_deleted"):
		event, doc, kind = deleted, before, before.String(kazoo.FieldType)
		if before == nil {
			kind = kazoo.TypeDedicatedIP // nothing else is removed through this package
		}
	case doc.Bool(kazoo.FieldDeleted):
		event = deleted
	case isNew:
		event = created
	}
	m := newMessage(node, db, id, kind, event)
	if id := doc.String("pvt_account_id"); len(id) == accountIDLength {
		m.AccountID = id
	}
	m.DateModified, _ = doc[kazoo.FieldCreated].(json.Number)
	m.DateCreated, _ = doc[kazoo.FieldModified].(json.Number)
	m.IsSoftDeleted = doc.Bool(kazoo.FieldDeleted)
	return m
}

// aboutProxies returns the message upon which stepswitch drops the proxies that the calls of an account leave through.
// It caches them for an hour and drops them when any document of type "resource" changes in the account's database,
// but not when a dedicated IP does. Kazoo itself does not send it.
func aboutProxies(node, db, id string) message { return newMessage(node, db, id, "resource", edited) }

// watched reports whether Kazoo caches documents of a database that are written through this package.
func watched(db string) bool {
	return db == kazoo.DedicatedIPs || strings.HasPrefix(db, kazoo.AccountPrefix)
}

const accountIDLength = 32

// accountOf returns whose database db is: "account/20/d2/79…" belongs to account 20d279…, and so does "…-202611", its
// database of a month. It returns "" for other databases.
func accountOf(db string) string {
	parts, ok := strings.CutPrefix(db, kazoo.AccountPrefix)
	id := strings.ReplaceAll(parts, "/", "")
	if !ok || len(id) < accountIDLength {
		return ""
	}
	return id[:accountIDLength]
}

// longestKey is the limit of AMQP for a routing key. No address reaches it.
const longestKey = 255

// key returns the routing key. Only the id is encoded here: the name of the database already is.
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
	return strings.ReplaceAll(url.QueryEscape(text), ".", "%2E")
}
