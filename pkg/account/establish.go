package account

import (
	"context"

	"junctor/pkg/document"
	"junctor/pkg/kazoo"
)

// newAccount returns the document of an account with its keys, as Kazoo would write it (kzd_accounts).
func (f *Provisioner) newAccount(id, name, realm string, tree []string) document.Document {
	doc := document.Document{
		"_id":                  id,
		"name":                 name,
		"realm":                realm,
		kazoo.FieldType:        "account",
		kazoo.FieldVersion:     "1",
		"pvt_alphanum_name":    kazoo.Alphanumeric(name),
		"pvt_api_key":          randomHex(32),
		"pvt_signature_secret": randomHex(16),
		"pvt_enabled":          true,
		"pvt_tree":             list(tree),
	}
	if len(tree) > 0 {
		doc["pvt_parent_id"] = tree[len(tree)-1]
	}
	f.stamp(doc, id, EncodedDatabase(id))
	return doc
}

func list(texts []string) []any {
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	return values
}

// establish writes an account: its database, its document there, its services document, and last the copy that
// look-ups find, so that they find complete accounts only. It may be repeated. Documents that exist already stay.
func (f *Provisioner) establish(ctx context.Context, account document.Document, reseller string) error {
	db, err := Database(account.ID())
	if err != nil {
		return err
	}
	if err := f.store.CreateDatabase(ctx, db); err != nil {
		return err
	}
	if err := f.putNew(ctx, db, account); err != nil {
		return err
	}
	stored, err := f.store.Get(ctx, db, account.ID())
	if err != nil {
		return err
	}
	if err := f.putNew(ctx, kazoo.Services, f.services(stored, reseller)); err != nil {
		return err
	}
	delete(stored, "_rev")
	delete(stored, "_conflicts")
	return f.putNew(ctx, kazoo.Accounts, stored)
}

// services returns the document that says whose customer an account is, and what it uses: nothing yet.
func (f *Provisioner) services(account document.Document, reseller string) document.Document {
	doc := document.Document{
		"_id":              account.ID(),
		kazoo.FieldType:    "service",
		kazoo.FieldVersion: document.Number(2),
		"pvt_status":       "good_standing",
		"pvt_reseller_id":  reseller,
		"pvt_tree":         account["pvt_tree"],
		"quantities":       nothingUsed(),
	}
	if account.Bool("pvt_reseller") {
		doc["pvt_reseller"] = true
	}
	f.stamp(doc, account.ID(), EncodedDatabase(account.ID()))
	return doc
}

func nothingUsed() map[string]any {
	return map[string]any{"account": map[string]any{}, "cascade": map[string]any{}, "manual": map[string]any{}}
}
