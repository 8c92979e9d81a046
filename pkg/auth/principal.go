package auth

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// principal is an account, or a user or device of it, that has credentials.
type principal struct{ accountID, ownerID, deviceID string }

// id returns the id of the document that is the principal's own: that of the device, the user or the account.
func (p principal) id() string { return cmp.Or(p.deviceID, p.ownerID, p.accountID) }

// validPrincipalID is the shape of the ids of users and devices. Kazoo makes 32 hex digits. Ids that CouchDB gives
// a meaning of its own, such as _all_docs and _design/users, are outside it.
var validPrincipalID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$`)

// checkActive returns the account of p. It refuses an account, a user and a device that does not exist or is
// deleted or disabled. The state of the account's ancestors does not matter. A trial that is over is the caller's to
// check, see checkTrial.
func checkActive(ctx context.Context, documents account.Reader, p principal) (*account.Account, error) {
	holder, err := account.Get(ctx, documents, p.accountID)
	if err != nil {
		return nil, refuseMissing("the account "+p.accountID, err)
	}
	if holder.Deleted {
		return nil, refuse("the account %s is deleted", p.accountID)
	}
	if p.ownerID != "" {
		if _, err := activeUser(ctx, documents, p); err != nil {
			return nil, err
		}
	}
	if p.deviceID != "" {
		if err := checkDevice(ctx, documents, p); err != nil {
			return nil, err
		}
	}
	return holder, nil
}

// checkEnabled refuses a disabled account, unless its trial is over: Kazoo disables such an account some time later,
// and that the trial is over says more.
func checkEnabled(holder *account.Account, now time.Time) error {
	if holder.Enabled || checkTrial(trialEnd(holder), now) != nil {
		return nil
	}
	return refuse("the account %s is disabled", holder.ID)
}

// activeUser returns the document of the user of p.
func activeUser(ctx context.Context, documents account.Reader, p principal) (document.Document, error) {
	user, err := member(ctx, documents, p.accountID, p.ownerID)
	if err != nil {
		return nil, err
	}
	if !account.ActiveUser(user) {
		return nil, refuse("%s is not an enabled user of the account %s", p.ownerID, p.accountID)
	}
	return user, nil
}

func checkDevice(ctx context.Context, documents account.Reader, p principal) error {
	device, err := member(ctx, documents, p.accountID, p.deviceID)
	if err == nil && (device.Bool(kazoo.FieldDeleted) || account.Disabled(device)) {
		err = refuse("the device %s of the account %s is deleted or disabled", p.deviceID, p.accountID)
	}
	return err
}

// member returns a document of an account, or the account's own, by the id that credentials give.
func member(ctx context.Context, documents account.Reader, accountID, id string) (document.Document, error) {
	if id != accountID && !validPrincipalID.MatchString(id) {
		return nil, refuse("an id that no user or device can have")
	}
	db, err := account.Database(accountID)
	if err != nil {
		return nil, refuseMissing("the account", err)
	}
	doc, err := documents.Get(ctx, db, id)
	if err != nil {
		return nil, refuseMissing(fmt.Sprintf("%s of the account %s", id, accountID), err)
	}
	return doc, nil
}
