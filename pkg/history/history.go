// Package history records who changed an address of the pool, when and how, and who holds it since.
//
// A change and its record are one write: the document of an address holds its last changes in a private field, see
// Record. A Log moves them to a database of their own, where they are listed.
//
// The package knows the documents of the pool. It does not know the rules by which they change, nor who may see what.
package history

import (
	"encoding/json"
	"strconv"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// Action is what happened to an address.
type Action string

// The actions.
const (
	Created  Action = "created"
	Assigned Action = "assigned"
	Released Action = "released"
	Moved    Action = "moved"  // from one account to another in one write
	Edited   Action = "edited" // zone, host or notes
	Deleted  Action = "deleted"
)

// Source is where a change was requested.
type Source string

// The sources.
const (
	API       Source = "api"
	Sup       Source = "sup"
	CLI       Source = "cli"
	Elsewhere Source = "elsewhere" // junctor did not make the change
)

// Actor is who makes a change. The zero value is unknown.
type Actor struct {
	AccountID string // whose token a request shows; empty for a command
	UserID    string // the user of that account, or the operating-system user of a command
	RequestID string
	Client    string // the address that a request came from
	Source    Source
}

// Event is one change of one address.
type Event struct {
	// ID is the address, a colon and Number. Events of Elsewhere have another colon and the revision that was found.
	// So servers that find the same event give it the same id.
	ID     string
	Number int   // counts the changes of the address, also over deletion
	At     int64 // Gregorian seconds; of two events of an address the later one is never earlier
	Action Action
	IP     string // as the pool spells it
	Zone   string // after the change; of a deleted address, before it
	Host   string // likewise
	From   string // the account that held the address before; empty if none did
	To     string // the account that holds it since; empty if none does
	Actor

	revision string // of an Elsewhere event: the one that was found
	undo     bool   // takes back the change before it, of a request that failed
}

// The keys of an event, in a document's field as in the database.
const (
	keyNumber   = "n"
	keyAt       = "at"
	keyAction   = "action"
	keyIP       = "ip"
	keyZone     = "zone"
	keyHost     = "host"
	keyFrom     = "from"
	keyTo       = "to"
	keyAccount  = "auth_account_id"
	keyUser     = "auth_user_id"
	keyRequest  = "request_id"
	keyClient   = "client"
	keySource   = "source"
	keyRevision = "rev"
	keyUndo     = "undo"
)

// eventID returns the id of an event. revision is empty for a change that junctor made.
func eventID(ip string, number int, revision string) string {
	id := ip + ":" + strconv.Itoa(number)
	if revision != "" {
		id += ":" + revision
	}
	return id
}

// encode returns an event as a JSON object, without ID and IP. Empty texts are left out.
func (e Event) encode() map[string]any {
	const most = 14 // members, with those that a document of its own adds: the map does not grow
	object := make(map[string]any, most)
	object[keyNumber], object[keyAt] = document.Number(int64(e.Number)), document.Number(e.At)
	object[keyAction] = string(e.Action)
	for _, member := range [...][2]string{
		{keyZone, e.Zone}, {keyHost, e.Host}, {keyFrom, e.From}, {keyTo, e.To}, {keyAccount, e.AccountID}, {keyUser, e.UserID},
		{keyRequest, e.RequestID}, {keyClient, e.Client}, {keySource, string(e.Source)}, {keyRevision, e.revision},
	} {
		if key, text := member[0], member[1]; text != "" {
			object[key] = text
		}
	}
	if e.undo {
		object[keyUndo] = true
	}
	return object
}

// decode returns the event of an address that encode has encoded, the zero Event for a value that is not an object.
func decode(ip string, value any) Event {
	fields, ok := value.(map[string]any)
	if !ok {
		return Event{}
	}
	object := document.Document(fields)
	number, _ := object.Int(keyNumber)
	at, _ := object.Int(keyAt)
	return Event{
		ID:     eventID(ip, int(number), object.String(keyRevision)),
		Number: int(number), At: at, Action: Action(object.String(keyAction)), IP: ip,
		Zone: object.String(keyZone), Host: object.String(keyHost),
		From: object.String(keyFrom), To: object.String(keyTo),
		Actor: Actor{
			AccountID: object.String(keyAccount), UserID: object.String(keyUser), RequestID: object.String(keyRequest),
			Client: object.String(keyClient), Source: Source(object.String(keySource)),
		},
		revision: object.String(keyRevision), undo: object.Bool(keyUndo),
	}
}

// MarshalJSON returns what the API shows of an event. Empty texts are left out.
func (e Event) MarshalJSON() ([]byte, error) {
	object := e.encode()
	delete(object, keyNumber)
	delete(object, keyRevision)
	delete(object, keyUndo)
	object["id"], object[keyIP] = e.ID, e.IP
	return json.Marshal(object)
}

// State is the part of an address that events record. The zero State is that of an address that the pool does not have.
type State struct {
	Exists     bool
	Holder     string // empty if no account has it
	Zone, Host string
}

// StateOf returns the state of an address by its document in the pool, which may be nil or a tombstone.
func StateOf(doc document.Document) State {
	if doc.String(kazoo.FieldType) != kazoo.TypeDedicatedIP || doc.Bool("_deleted") || doc.Bool(kazoo.FieldDeleted) {
		return State{}
	}
	s := State{Exists: true, Zone: doc.String(kazoo.FieldZone), Host: doc.String(kazoo.FieldHost)}
	if doc.String(kazoo.FieldStatus) != kazoo.Available {
		s.Holder = doc.String(kazoo.FieldAssignedTo)
	}
	return s
}

// after returns the state that an event left. After the zero Event there is no address.
func (e Event) after() State {
	if e.Action == Deleted || e.Action == "" {
		return State{}
	}
	return State{Exists: true, Holder: e.To, Zone: e.Zone, Host: e.Host}
}

// change returns the event that leads from one state to another, without who and when.
func change(ip string, before, after State) Event {
	e := Event{IP: ip, Zone: after.Zone, Host: after.Host, From: before.Holder, To: after.Holder}
	switch {
	case !after.Exists:
		e.Action, e.Zone, e.Host = Deleted, before.Zone, before.Host
	case !before.Exists && after.Holder == "":
		e.Action = Created
	case before.Holder == after.Holder:
		e.Action = Edited
	case before.Holder == "":
		e.Action = Assigned
	case after.Holder == "":
		e.Action = Released
	default:
		e.Action = Moved
	}
	return e
}
