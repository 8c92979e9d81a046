package auth

import (
	"context"
	"fmt"
	"slices"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/fault"
)

// As is the user that a login asks to act as. The zero value is none.
type As struct{ AccountID, OwnerID string }

// readAs reads the claim "as". One that does not name both an account and a user is ignored, as in Kazoo
// (cb_token_auth check_as).
func readAs(value any) As {
	object, _ := value.(map[string]any)
	as := As{document.Document(object).String("account_id"), document.Document(object).String("owner_id")}
	if as.AccountID == "" || as.OwnerID == "" {
		return As{}
	}
	return as
}

func (as As) claim() map[string]any {
	return map[string]any{"account_id": as.AccountID, "owner_id": as.OwnerID}
}

// checkAs returns the account of the user as, if by may act as that user. Only an administrator, or the account itself
// by its API key, may act as another user, and only as an enabled user of its own account or of one below it. Otherwise
// the error is of kind fault.Forbidden. The caller checks the account's trial.
func checkAs(
	ctx context.Context, documents account.Reader, by principal, as As, now time.Time,
) (*account.Account, error) {
	if err := checkMayActAs(ctx, documents, by); err != nil {
		return nil, forbidRefused(err)
	}
	target, err := checkActive(ctx, documents, principal{accountID: as.AccountID, ownerID: as.OwnerID})
	if err != nil {
		return nil, forbidRefused(err)
	}
	if target.ID != by.accountID && !slices.Contains(target.Tree, by.accountID) {
		return nil, fault.Wrap(fault.Forbidden, fmt.Errorf("account %s is not below %s", target.ID, by.accountID))
	}
	return target, forbidRefused(checkEnabled(target, now))
}

func checkMayActAs(ctx context.Context, documents account.Reader, by principal) error {
	if by.ownerID == "" && by.deviceID == "" {
		return nil // the account itself, by its API key
	}
	if by.ownerID != "" {
		user, err := activeUser(ctx, documents, by)
		if err != nil {
			return err
		}
		if user.String("priv_level") == "admin" {
			return nil
		}
	}
	return refuse("only an administrator or an API key may act as another user")
}

// forbidRefused turns a fault.Unauthenticated about a principal into a fault.Forbidden. It returns other errors as they
// are.
func forbidRefused(err error) error {
	if fault.Is(err, fault.Unauthenticated) {
		return fault.Wrap(fault.Forbidden, err)
	}
	return err
}
