package doctor

import (
	"context"
	"fmt"

	"junctor/pkg/account"
	"junctor/pkg/auth"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// signingKeys checks that the keys can be read: the one that signs, and those that tokens may still be signed with.
func (e *examination) signingKeys(ctx context.Context) Finding {
	current, err := e.config.Text(ctx, "auth", "system_key")
	if err != nil {
		return failed(err)
	}
	if current == "" {
		return broken("missing: the settings name no key", restart)
	}
	if err := auth.CheckKey(ctx, e.store, current); err != nil {
		return broken("the key that signs tokens can't be used: "+reason(err),
			"have Kazoo create a new one: PUT /v2/auth/keys/"+current+" {\"data\":{\"action\":\"reset_private_key\"}}")
	}
	ids, err := e.keys(ctx)
	if err != nil {
		return failed(err)
	}
	var found []Finding
	for _, id := range ids {
		if err := auth.CheckKey(ctx, e.store, id); err != nil {
			found = append(found, warning("an old key can't be used: "+reason(err),
				"nothing, if it has not been used for long: tokens signed with it are refused"))
		}
	}
	return sum(found, fine("key %s signs; %s can be read", current, plural(len(ids), "key")))
}

// keys returns the ids of the documents that hold keys. That there is no database is another check's to say.
func (e *examination) keys(ctx context.Context) (ids []string, err error) {
	q := store.Query{IncludeDocs: true}
	err = e.store.All(ctx, kazoo.SystemAuth, q, func(row store.Row) error {
		doc, err := row.Doc()
		if err == nil && doc.String(kazoo.FieldType) == "system_key" && !doc.Bool(kazoo.FieldDeleted) {
			ids = append(ids, doc.ID())
		}
		return err
	})
	if account.Missing(err) {
		return nil, nil
	}
	return ids, err
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
