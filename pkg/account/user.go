package account

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// NewUser describes a user to create.
type NewUser struct {
	Username string // unique in the account, without regard to case
	Password string
	Level    string // Kazoo's priv_level: "admin", which is what empty means, or "user"
}

// maxUsername is what Kazoo's schema allows.
const maxUsername = 256

// Check returns a fault.Invalid if this can't be a user.
func (n NewUser) Check() error {
	if length := utf8.RuneCountInString(n.Username); length == 0 || length > maxUsername {
		return invalid("username", fmt.Sprintf("a user's name has 1 to %d characters", maxUsername))
	}
	if strings.ContainsFunc(n.Username, func(r rune) bool { return r <= ' ' || r == ':' }) {
		return invalid("username", "a user's name has no spaces and no colons")
	}
	if n.Level != "" && n.Level != "admin" && n.Level != "user" {
		return invalid("priv_level", fmt.Sprintf("a user's level is \"admin\" or \"user\", not %q", n.Level))
	}
	return checkPassword(n.Password)
}

func checkPassword(password string) error {
	if password == "" {
		return invalid("password", "the password is empty")
	}
	return nil
}

// CreateUser writes a new user of an account and returns its id. What is wrong with the request is fault.Invalid, a
// name that another user has fault.Conflict, and ErrManagedByKazoo says that a Kazoo manages the users.
func (f *Provisioner) CreateUser(ctx context.Context, accountID string, n NewUser) (id string, err error) {
	if err := f.mayWrite(ctx); err != nil {
		return "", err
	}
	if err := n.Check(); err != nil {
		return "", err
	}
	if _, err := f.existing(ctx, accountID, "account", "account"); err != nil {
		return "", err
	}
	holders, err := f.directory.usersByName(ctx, accountID, n.Username)
	if err == nil && len(holders) > 0 {
		err = usernameTaken(n.Username)
	}
	if err != nil {
		return "", err
	}
	return f.enterUser(ctx, accountID, n)
}

// enterUser writes a user and makes sure that it is alone with its name: of two that took one at the same time, at
// most one stays.
func (f *Provisioner) enterUser(ctx context.Context, accountID string, n NewUser) (string, error) {
	db, err := Database(accountID)
	if err != nil {
		return "", err
	}
	doc := f.newUser(accountID, n)
	rev, err := f.store.Put(ctx, db, doc)
	if err != nil {
		return "", err
	}
	holders, err := f.directory.usersByName(ctx, accountID, n.Username)
	if err != nil || len(holders) <= 1 {
		return doc.ID(), err
	}
	if err := f.store.Delete(ctx, db, doc.ID(), rev); err != nil {
		return "", err
	}
	return "", usernameTaken(n.Username)
}

func usernameTaken(username string) error {
	return fault.New(fault.Conflict, fmt.Sprintf("another user of the account has the name %q", username))
}

// mayWrite refuses to write where a Kazoo lives.
func (f *Provisioner) mayWrite(ctx context.Context) error {
	kazoo, err := f.ManagedByKazoo(ctx)
	if err == nil && kazoo {
		err = ErrManagedByKazoo
	}
	return err
}

// newUser returns the document of a user, as Kazoo would write it (kzd_users, with the defaults of its schema).
func (f *Provisioner) newUser(accountID string, n NewUser) document.Document {
	const first, last = "Account", "Admin"
	doc := document.Document{
		"_id":                     randomHex(16),
		"username":                lowerName(n.Username),
		"first_name":              first,
		"last_name":               last,
		"priv_level":              cmp.Or(n.Level, "admin"),
		"enabled":                 true,
		"verified":                false,
		"require_password_update": false,
		"vm_to_email_enabled":     true,
		"call_restriction":        map[string]any{},
		"contact_list":            map[string]any{},
		"music_on_hold":           map[string]any{},
		"ringtones":               map[string]any{},
		"hotdesk": map[string]any{
			"enabled": false, "keep_logged_in_elsewhere": false, "require_pin": false,
		},
		kazoo.FieldType:     "user",
		kazoo.FieldVersion:  "1",
		"pvt_alphanum_name": kazoo.Alphanumeric(first + last),
	}
	f.stamp(doc, accountID, EncodedDatabase(accountID))
	setPassword(doc, n.Password)
	return doc
}

// setPassword sets the password of a user, and revokes the tokens that were issued for the old one.
func setPassword(user document.Document, password string) {
	username := user.String("username")
	user["pvt_md5_auth"] = HashPassword(MD5, username, password).Value
	user["pvt_sha1_auth"] = HashPassword(SHA, username, password).Value
	endTokens(user)
}

// endTokens revokes a user's tokens, which are bound to the secret.
func endTokens(user document.Document) { user["pvt_signature_secret"] = randomHex(16) }

// SetPassword changes the password of a user and reports whether the user is enabled, which it does not change. It
// revokes the user's tokens.
func (f *Provisioner) SetPassword(ctx context.Context, accountID, username, password string) (enabled bool, err error) {
	if err := checkPassword(password); err != nil {
		return false, err
	}
	err = f.changeUser(ctx, accountID, username, func(user document.Document) {
		setPassword(user, password)
		enabled = !Disabled(user)
	})
	return enabled, err
}

// DisableUser keeps a user from logging in and revokes the user's tokens. Kazoo checks only at a login whether a user
// is enabled, so the secret that tokens are bound to is changed as well.
func (f *Provisioner) DisableUser(ctx context.Context, accountID, username string) error {
	return f.changeUser(ctx, accountID, username, func(user document.Document) {
		user["enabled"] = false
		endTokens(user)
	})
}

// EnableUser lets a user log in again, with the same password. Tokens that were revoked stay so.
func (f *Provisioner) EnableUser(ctx context.Context, accountID, username string) error {
	return f.changeUser(ctx, accountID, username, func(user document.Document) { user["enabled"] = true })
}

// changeUser alters the user of an account who has a name; that there is none is fault.Invalid.
func (f *Provisioner) changeUser(
	ctx context.Context, accountID, username string, change func(document.Document),
) error {
	if err := f.mayWrite(ctx); err != nil {
		return err
	}
	if _, err := f.existing(ctx, accountID, "account", "account"); err != nil {
		return err
	}
	ids, err := f.directory.usersByName(ctx, accountID, username)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return invalid("username", fmt.Sprintf("the account has no user %q", username))
	}
	db, err := Database(accountID)
	if err != nil {
		return err
	}
	_, err = f.store.Update(ctx, db, ids[0], func(user document.Document) error {
		if user.String(kazoo.FieldType) != "user" || user.Bool(kazoo.FieldDeleted) {
			return invalid("username", fmt.Sprintf("the account has no user %q", username))
		}
		change(user)
		user[kazoo.FieldModified] = document.Number(kazoo.Gregorian(f.now()))
		return nil
	})
	return err
}
