package routing

import (
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// The fields of a cluster's document that the package has to do with.
const (
	fieldIPs       = "ips"
	fieldOwner     = "owner"
	fieldName      = "name"
	fieldRandomize = "randomize_routing"

	documentType = "customer_cluster"
)

// Cluster is one routing cluster, as its document says.
type Cluster struct{ doc document.Document }

// ID is the cluster's id.
func (c Cluster) ID() string { return c.doc.ID() }

// Revision is the document's revision.
func (c Cluster) Revision() string { return c.doc.Rev() }

// Public returns what the API shows of the cluster: its public fields, the id, and always randomize_routing.
func (c Cluster) Public() document.Document {
	public := c.doc.Public()
	if _, ok := public[fieldRandomize]; !ok {
		public[fieldRandomize] = false
	}
	return public
}

// MarshalJSON returns Public as JSON.
func (c Cluster) MarshalJSON() ([]byte, error) { return document.Encode(c.Public()) }

// Author is who changes a cluster, as the document says afterwards.
type Author struct {
	AccountID     string // of the token
	UserID        string // empty where the account itself speaks
	Authenticated bool   // as far as the API is concerned
	RequestID     string
}

// draft is a document to be stored, and what it claims.
type draft struct {
	doc   document.Document
	slots map[addressSlot]field
}

// stamped sets the private fields that Crossbar sets on each save (crossbar_doc add_pvt_*). The account that the
// URL of an ordinary document names is here the one that creates the cluster.
func (r *Registry) stamped(d draft, by Author) draft {
	if d.doc == nil {
		return d
	}
	now := document.Number(kazoo.Gregorian(r.options.Now()))
	for field, value := range map[string]any{
		kazoo.FieldType: documentType, kazoo.FieldVersion: "1", kazoo.FieldCreated: now,
		"pvt_account_id": by.AccountID, "pvt_account_db": Database,
	} {
		if d.doc[field] == nil && value != "" {
			d.doc[field] = value
		}
	}
	d.doc[kazoo.FieldModified] = now
	d.doc["pvt_is_authenticated"] = by.Authenticated
	d.doc["pvt_alphanum_name"] = kazoo.Alphanumeric(d.doc.String(fieldName))
	for field, value := range map[string]string{
		"pvt_request_id": by.RequestID, "pvt_auth_account_id": by.AccountID, "pvt_auth_user_id": by.UserID,
	} {
		if delete(d.doc, field); value != "" {
			d.doc[field] = value
		}
	}
	return d
}

func isCluster(doc document.Document) bool { return doc.String(kazoo.FieldType) == documentType }

// isLive reports whether doc is a cluster that has not been deleted.
func isLive(doc document.Document) bool { return isCluster(doc) && !doc.Bool(kazoo.FieldDeleted) }

// maxID bounds the length of a cluster's id. Kazoo's have 32 hex digits.
const maxID = 128

// isID reports whether a cluster may have this id: printable ASCII that fits into a path, and neither an id of
// CouchDB's nor one that a path does not keep.
func isID(id string) bool {
	if id == "" || id == "." || id == ".." || len(id) > maxID || id[0] == '_' {
		return false
	}
	return strings.IndexFunc(id, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '/' }) < 0
}
