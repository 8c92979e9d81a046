package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// Find finds an account by what an operator calls it: its id, its realm or its name. An account that has exactly the name
// comes before those whose names differ in case or in other characters than letters and digits. Nothing that is found is
// fault.BadIdentifier, and several accounts are a fault.Invalid that lists them.
func (d *Directory) Find(ctx context.Context, text string) (*Account, error) {
	if ValidID(text) {
		found, err := d.present(ctx, []string{text})
		if err != nil {
			return nil, err
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	candidates, err := d.named(ctx, text)
	if err != nil {
		return nil, err
	}
	if exact := slices.DeleteFunc(slices.Clone(candidates), func(a *Account) bool { return a.Name != text }); len(exact) > 0 {
		candidates = exact
	}
	switch len(candidates) {
	case 0:
		return nil, fault.New(fault.BadIdentifier, fmt.Sprintf("there is no account %q", text))
	case 1:
		return candidates[0], nil
	}
	return nil, ambiguous(text, candidates)
}

// named returns the accounts that have a realm or a name. The views do not list names without letters and digits of
// ASCII, so for those all accounts are read.
func (d *Directory) named(ctx context.Context, text string) (found []*Account, err error) {
	if kazoo.Alphanumeric(text) == "" {
		err := d.List(ctx, func(a *Account) error {
			if a.Name == text {
				found = append(found, a)
			}
			return nil
		})
		return found, err
	}
	ids, err := d.idsByRealm(ctx, text)
	if err != nil {
		return nil, err
	}
	byName, err := d.idsByName(ctx, text)
	if err != nil {
		return nil, err
	}
	for _, id := range byName {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return d.present(ctx, ids)
}

// maxCandidates bounds the list of accounts in an error.
const maxCandidates = 20

func ambiguous(text string, candidates []*Account) error {
	var list strings.Builder
	for _, a := range candidates[:min(len(candidates), maxCandidates)] {
		fmt.Fprintf(&list, "\n  %s  %s  %s", a.ID, a.Name, a.Realm)
	}
	if more := len(candidates) - maxCandidates; more > 0 {
		fmt.Fprintf(&list, "\n  and %d more", more)
	}
	return invalid("account", fmt.Sprintf("%d accounts are called %q: give the id of one of them%s", len(candidates), text, &list))
}

// listPage is how many documents are read at once.
const listPage = 500

// List passes all accounts that are not deleted to each, in the order of their ids, as the database of accounts has them,
// until each returns an error.
func (d *Directory) List(ctx context.Context, each func(*Account) error) error {
	return Documents(ctx, d.store, kazoo.Accounts, "account", func(doc document.Document) error {
		return each(fromDocument(doc))
	})
}

// IDs returns the ids of all accounts that are not deleted, in order.
func IDs(ctx context.Context, s store.Lister) (ids []string, err error) {
	err = Documents(ctx, s, kazoo.Accounts, "account", func(doc document.Document) error {
		if _, err := Database(doc.ID()); err == nil {
			ids = append(ids, doc.ID())
		}
		return nil
	})
	return ids, err
}

// Documents passes the documents of a type that are not deleted to each, in the order of their ids. It reads all
// documents of the database, and needs no view. A database that does not exist has none.
func Documents(
	ctx context.Context, s store.Lister, db, docType string, each func(document.Document) error,
) error {
	err := store.AllPages(ctx, s, db, listPage, func(docs []document.Document) error {
		for _, doc := range docs {
			if doc.String(kazoo.FieldType) != docType || doc.Bool(kazoo.FieldDeleted) {
				continue
			}
			if err := each(doc); err != nil {
				return err
			}
		}
		return nil
	})
	if fault.Is(err, fault.DatastoreMissing) {
		return nil
	}
	return err
}

// Matches reports whether the id of an account begins with a text, or its name or realm contains it, without regard to
// case.
func (a *Account) Matches(text string) bool {
	text = strings.ToLower(text)
	return strings.HasPrefix(a.ID, text) || strings.Contains(strings.ToLower(a.Name), text) ||
		strings.Contains(strings.ToLower(a.Realm), text)
}
