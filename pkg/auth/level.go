package auth

import (
	"context"
	"fmt"
	"slices"

	"junctor/pkg/account"
	"junctor/pkg/fault"
)

// Level is who may use a resource, in the words of the routing API.
type Level int

// The levels. A master has those before Master, too.
const (
	LevelBasic       Level = iota // any good token
	LevelReseller                 // one of a reseller
	LevelParentOf                 // one of an ancestor of the account in the path
	LevelResellerOf               // one of the reseller of the account in the path
	LevelMaster                   // one of the master account of its cluster
	LevelSuperMaster              // one of the master account of the master cluster
)

var levelNames = [...]string{"basic", "reseller", "parent_of", "reseller_of", "master", "super_master"}

// String answers the name of a level, as the documentation has it.
func (l Level) String() string {
	if l < 0 || int(l) >= len(levelNames) {
		return fmt.Sprintf("level %d", int(l))
	}
	return levelNames[l]
}

// Require refuses identities that are not of a level. target is the account in the path, nil where there is none.
// What another cluster says of its account counts, but gives it no relation to an account here.
func (a *Authenticator) Require(ctx context.Context, i *Identity, l Level, target *account.Account) error {
	if i == nil {
		return refuse(fmt.Errorf("level %s without an identity", l))
	}
	has, err := a.has(ctx, i, l, target)
	if err != nil || has {
		return err
	}
	return fault.Wrap(fault.Forbidden, fmt.Errorf("account %s is not of level %s", i.AccountID, l))
}

func (a *Authenticator) has(ctx context.Context, i *Identity, l Level, target *account.Account) (bool, error) {
	switch l {
	case LevelBasic:
		return true, nil
	case LevelReseller:
		if i.Master || i.Remote {
			return i.Master || i.Reseller, nil
		}
		_, reseller, err := a.directory.Reseller(ctx, &account.Account{ID: i.AccountID})
		return reseller, err
	case LevelParentOf, LevelResellerOf:
		return a.related(ctx, i, l, target)
	case LevelMaster:
		return i.Master, nil
	case LevelSuperMaster:
		return a.superMaster(ctx, i)
	}
	return false, nil
}

func (a *Authenticator) related(ctx context.Context, i *Identity, l Level, target *account.Account) (bool, error) {
	switch {
	case i.Remote || target == nil:
		return false, nil
	case i.Master:
		return true, nil
	case l == LevelParentOf:
		return slices.Contains(target.Tree, i.AccountID), nil
	}
	reseller, _, err := a.directory.Reseller(ctx, target)
	return reseller == i.AccountID, err
}

func (a *Authenticator) superMaster(ctx context.Context, i *Identity) (bool, error) {
	if !i.Master {
		return false, nil
	}
	cluster := i.ClusterID
	if !i.Remote {
		if a.masterCluster == "" {
			return true, nil
		}
		own, err := a.config(a.documents).ClusterID(ctx)
		if err != nil {
			return false, err
		}
		cluster = own
	}
	return cluster != "" && cluster == a.masterCluster, nil
}
